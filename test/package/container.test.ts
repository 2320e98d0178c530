// The image and the compose file, as far as they can be held to the program without an engine that builds images.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkConfig } from '@turnwire/gateway';
import type { ChildProcess } from 'node:child_process';
import type { AddressInfo } from 'node:net';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { parse } = createRequire(join(root, 'packages', 'gateway', 'package.json'))('yaml') as {
  parse: (text: string, options?: object) => unknown;
};

/** The instructions of a Dockerfile, in order. */
function instructionsOf(path: string): { name: string; text: string }[] {
  const lines = read(path)
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines.filter(Boolean).map((line) => {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return { name, text };
  });
}

function one(instructions: readonly { name: string; text: string }[], name: string): string {
  const found = instructions.filter((instruction) => instruction.name === name);
  assert.equal(found.length, 1, name);
  return found[0]?.text ?? '';
}

/** The address in the command of a health check. */
function addressIn(command: readonly string[]): URL {
  return new URL(command.at(-1) ?? '');
}

/** What a line of .dockerignore stands for: a file, or a folder with all that is in it. */
function expressionOf(line: string): RegExp {
  const parts = line.replace(/^!/, '').split(/(\*\*\/|\*)/);
  const source = parts.map((part) =>
    part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : part.replaceAll('.', String.raw`\.`),
  );
  return new RegExp(`^${source.join('')}(?:/|$)`);
}

interface Service {
  image: string;
  command?: string[];
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, unknown>;
  environment?: Record<string, string>;
}

const compose = parse(read('examples/compose/compose.yaml'), { merge: true }) as { services: Record<string, Service> };
const dockerfile = instructionsOf('Dockerfile');
const begin = dockerfile.findLastIndex(({ name }) => name === 'FROM');
const image = dockerfile.slice(begin);
const health = JSON.parse(/CMD (\[.*\])$/.exec(one(image, 'HEALTHCHECK'))?.[1] ?? '[]') as string[];

describe('the Dockerfile', () => {
  test('builds and runs on Node 24, and runs as a user without rights', () => {
    const bases = dockerfile.filter(({ name }) => name === 'FROM').map(({ text }) => text);
    assert.deepEqual(
      bases.map((base) => base.replace(/-\w+( AS build)?$/, '')),
      ['node:24', 'node:24'],
    );
    assert.equal(one(image, 'USER'), 'node');
    assert(image.findIndex(({ name }) => name === 'USER') < image.findIndex(({ name }) => name === 'ENTRYPOINT'));
  });

  test('installs the dependencies of each package, and its build needs no file that is left out', () => {
    const commands = dockerfile.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    const installed = commands.flatMap((command) =>
      [...command.matchAll(/--workspace=(\S+)/g)].map(([, path]) => path),
    );
    assert.deepEqual(
      installed.toSorted((a, b) => (a ?? '').localeCompare(b ?? '')),
      readdirSync(join(root, 'packages')).map((name) => `packages/${name}`),
    );
    assert(commands.some((command) => command === 'node scripts/setup.mjs --demo'));
    const patterns = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const isTaken = (path: string): boolean =>
      patterns.reduce((taken, line) => (expressionOf(line).test(path) ? line.startsWith('!') : taken), true);
    for (const path of [
      'package.json',
      'package-lock.json',
      'tsconfig.base.json',
      'scripts/setup.mjs',
      'scripts/package.json',
      'packages/gateway/src/index.ts',
      'packages/gateway/page/index.html',
      'packages/turnwire/bin/turnwire.js',
      'examples/agents/source-report/agent.yaml',
    ])
      assert.deepEqual([path, existsSync(join(root, path)), isTaken(path)], [path, true, true]);
    for (const path of [
      'node_modules/ws/index.js',
      'packages/client/dist/index.js',
      '.git/HEAD',
      'docs/gateway.md',
      '.env',
    ])
      assert.deepEqual([path, isTaken(path)], [path, false]);
  });

  test('starts the program, and asks for its readiness where it listens by default', async () => {
    const [node, path = ''] = JSON.parse(one(image, 'ENTRYPOINT')) as string[];
    assert.equal(node, 'node');
    const bin = path.replace(`${one(image, 'WORKDIR')}/`, root);
    const version = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' });
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.deepEqual((JSON.parse(one(image, 'CMD')) as string[]).slice(0, 2), ['serve', '--config']);
    const { listen, admin } = await checkConfig({
      config: { upstream: { base_url: 'http://127.0.0.1:1/v1' }, admin: {} },
    });
    assert.equal(one(image, 'EXPOSE'), `${listen.port} ${admin?.port}`);
    assert.equal(addressIn(health).href, `http://127.0.0.1:${listen.port}/readyz`);
  });
});

describe('the compose file', () => {
  test('publishes the ports of its gateways, on this machine alone', async () => {
    const { listen, admin } = parse(read('examples/compose/gateway.yaml')) as Record<string, { port: number }>;
    const gateways = Object.entries(compose.services).filter(([name]) => name.startsWith('gateway'));
    assert.equal(gateways.length, 2);
    const published = gateways.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')));
    assert.deepEqual([...new Set(published.map(([address]) => address))], ['127.0.0.1']);
    assert.equal(new Set(published.map(([, port]) => port)).size, published.length);
    assert.deepEqual(
      published.map(([, , port]) => Number(port)),
      [listen?.port, admin?.port, listen?.port, admin?.port],
    );
    for (const [name, { ports }] of Object.entries(compose.services))
      assert.equal(ports === undefined, !name.startsWith('gateway'), `${name} is for the others alone`);
  });

  test('names only existing services, and mounts the configuration where the image reads it', () => {
    const names = Object.keys(compose.services);
    const config = read('examples/compose/gateway.yaml');
    const hosts = [...config.matchAll(/:\/\/([a-z-]+):\d+/g)].map(([, name]) => name ?? '');
    assert.deepEqual(hosts, ['emulator', 'redis']);
    for (const host of hosts) assert(names.includes(host), host);
    for (const { depends_on: needed = {}, volumes = [] } of Object.values(compose.services)) {
      for (const name of Object.keys(needed)) assert(compose.services[name]?.healthcheck !== undefined, name);
      for (const volume of volumes) {
        const [from = '', to] = volume.split(':');
        assert(existsSync(join(root, 'examples', 'compose', from)));
        assert.equal(to, (JSON.parse(one(image, 'CMD')) as string[]).at(-1));
      }
    }
  });

  const noRedis = spawnSync('redis-server', ['--version']).status !== 0 && 'redis-server is not installed';
  describe('as processes of this machine', { skip: noRedis }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire-compose-'));
    const children: ChildProcess[] = [];
    after(async () => {
      for (const child of children) {
        if (child.exitCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      rmSync(folder, { recursive: true });
    });

    const [node, bin] = [process.execPath, join(root, 'packages', 'turnwire', 'bin', 'turnwire.js')];
    const secret = 'a secret of more than 32 characters';
    function start(command: string, args: readonly string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
      const env = { ...process.env, TURNWIRE_CLUSTER_SECRET: secret };
      const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return child;
    }
    /** Its addresses, once it listens. */
    async function addressesOf(child: { stdout: NodeJS.ReadableStream }): Promise<{ url: string; admin_url: string }> {
      for await (const line of createInterface({ input: child.stdout })) {
        child.stdout.resume();
        return JSON.parse(line) as { url: string; admin_url: string };
      }
      throw new Error('it has ended');
    }
    const { emulator, redis, gateway } = compose.services;
    let emulated = '';
    const gateways: { child: ChildProcess; url: string; admin_url: string }[] = [];

    before(async () => {
      const port = await freePort();
      const [server = '', ...settings] = redis?.command ?? [];
      const store = start(server, [...settings, '--port', String(port), '--bind', '127.0.0.1']);
      for await (const line of createInterface({ input: store.stdout })) if (/Ready to accept/.test(line)) break;
      store.stdout.resume();
      const command = (emulator?.command ?? []).map((part) => (part === '4001' ? '0' : part));
      emulated = (await addressesOf(start(node, [bin, ...command, '--json']))).url;

      const config = read('examples/compose/gateway.yaml')
        .replace('http://emulator:4001', new URL(emulated).origin)
        .replace('redis:6379', `127.0.0.1:${port}`)
        .replaceAll(/port: \d+/g, 'port: 0');
      writeFileSync(join(folder, 'gateway.yaml'), config);
      const [verb = '', option = ''] = gateway?.command ?? (JSON.parse(one(image, 'CMD')) as string[]);
      for (let index = 0; index < 2; index += 1) {
        const child = start(node, [bin, verb, option, 'gateway.yaml', '--json']);
        gateways.push({ child, ...(await addressesOf(child)) });
      }
    });

    test('every health check answers', async () => {
      const healths = [
        [gateways[0]?.url, addressIn(health)],
        [emulated, addressIn(emulator?.healthcheck?.test ?? [])],
      ] as const;
      for (const [url = '', { pathname }] of healths) {
        const answer = await fetch(new URL(pathname, url));
        assert.equal(answer.status, 200, pathname);
      }
      assert.deepEqual(redis?.healthcheck?.test.slice(1), ['redis-cli', 'ping']);
    });

    test('a chain that one gateway began continues as a delta at the other', async () => {
      const input: object[] = [{ role: 'user', content: 'One two three.' }];
      const plans: (string | null)[] = [];
      for (const { url } of gateways) {
        const response = await fetch(`${url}/responses`, {
          method: 'POST',
          headers: { authorization: 'Bearer any' },
          body: JSON.stringify({ model: 'any', input }),
        });
        plans.push(response.headers.get('x-turnwire-plan'));
        const { output } = (await response.json()) as { output: object[] };
        input.push(...output, { role: 'user', content: 'More.' });
      }
      assert.deepEqual(plans, ['full', 'delta']);
    });

    test('the admin page is served, and SIGTERM ends each gateway with status 0', async () => {
      for (const { child, admin_url: page } of gateways) {
        assert.equal((await fetch(page)).status, 200);
        const { cluster } = (await (await fetch(new URL('state.json', page))).json()) as { cluster: object };
        assert.deepEqual(cluster, { redis: 'reached' });
        child.kill('SIGTERM');
        const [status] = (await once(child, 'close')) as [number | null];
        assert.equal(status, 0);
      }
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
