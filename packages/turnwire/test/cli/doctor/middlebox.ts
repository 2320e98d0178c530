import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A program that stands between, as a distribution ships it. */
export type Middlebox = 'apache2' | 'caddy' | 'haproxy' | 'nginx' | 'squid';

/** Distributions have them where only an administrator looks. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` };

const versionFlag = { apache2: '-v', caddy: 'version', haproxy: '-v', nginx: '-v', squid: '-v' } as const;

/** For the tests behind one: they skip with a sentence where it is not installed. */
export function needs(name: Middlebox): { skip: string | false } {
  return { skip: isInstalled(name) ? false : `${name} is not installed` };
}

/** False where a test has to skip. */
function isInstalled(name: Middlebox): boolean {
  return spawnSync(name, [versionFlag[name]], { env, stdio: 'ignore' }).status === 0;
}

const commands: Readonly<Record<Middlebox, (folder: string, file: string) => readonly string[]>> = {
  apache2: (folder, file) => ['-d', folder, '-f', file, '-DFOREGROUND'],
  caddy: (_, file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  haproxy: (_, file) => ['-f', file, '-db'],
  nginx: (folder, file) => ['-p', folder, '-c', file, '-e', 'stderr'],
  squid: (_, file) => ['-N', '-f', file],
};

/** Where a middlebox listens, and where its files are. */
export interface Place {
  port: number;
  folder: string;
}

interface RunningMiddlebox extends Place {
  /** The configuration. */
  file: string;
  child: ChildProcess;
}

/** Starts one with what `configuration` says; gives the port it listens on. It ends with the test. */
export async function startMiddlebox(
  t: TestContext,
  name: Middlebox,
  configuration: (place: Place) => string,
): Promise<number> {
  const { port } = await runMiddlebox(t, name, configuration);
  return port;
}

/**
 * As `startMiddlebox`, for a test that sends a signal or has `file` read again.
 *
 * @public For test/faults.
 */
export async function runMiddlebox(
  t: TestContext,
  name: Middlebox,
  configuration: (place: Place) => string,
): Promise<RunningMiddlebox> {
  for (let left = 3; ; left -= 1) {
    try {
      return await runAtFreePort(t, name, configuration);
    } catch (error) {
      // Between the search for a port and the start, another test may have taken it.
      if (left === 1 || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function runAtFreePort(
  t: TestContext,
  name: Middlebox,
  configuration: (place: Place) => string,
): Promise<RunningMiddlebox> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-middlebox-'));
  // They may give up the rights of an administrator, and write here all the same.
  await chmod(folder, 0o777);
  const port = await freePort();
  const file = join(folder, 'configuration');
  await writeFile(file, configuration({ port, folder }));
  const child = spawn(name, commands[name](folder, file), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  t.after(async () => {
    // Apache's children would outlive it.
    child.kill(name === 'apache2' ? 'SIGTERM' : 'SIGKILL');
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  });
  for (const until = Date.now() + 30_000; Date.now() < until && child.exitCode === null;) {
    if (await listens(port)) return { port, folder, file, child };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} does not start: ${said}`);
}

/**
 * Where Caddy can be told to reload: a path, since a port could be another program's by the time Caddy starts.
 *
 * @public For test/faults.
 */
export function adminOfCaddy({ folder }: Place): string {
  return `unix/${folder}/admin`;
}

/** An http block of nginx with one location, all of whose files are in its folder. */
export function nginx(upstreamPort: number, location: string): (place: Place) => string {
  return ({ port, folder }) => `
    daemon off;
    master_process off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    pid ${folder}/pid;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/${each};`).join('\n')}
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://127.0.0.1:${upstreamPort};
          ${location}
        }
      }
    }`;
}

/** @public For test/faults. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
