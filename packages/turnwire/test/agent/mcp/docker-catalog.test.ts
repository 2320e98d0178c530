import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { scratch } from '../scratch.js';
import { toolsOf, type Toolsets } from '../tools/tools.js';

const skip = process.platform === 'win32';

/** As Docker publishes it, by `registry`. */
const registry = {
  brave: { type: 'server', secrets: [{ name: 'brave.api_key', env: 'BRAVE_API_KEY', example: 'YOUR_API_KEY' }] },
  pair: {
    type: 'server',
    secrets: [
      { name: 'pair.user', env: 'PAIR_USER' },
      { name: 'pair.token', env: 'PAIR_TOKEN' },
    ],
  },
  apify: { type: 'remote', remote: { url: 'https://mcp.apify.com' }, secrets: [{ name: 'a.b', env: 'APIFY_TOKEN' }] },
  fetch: { type: 'server' },
};

async function catalog(t: TestContext, body = JSON.stringify({ registry })): Promise<string> {
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/catalog.json`;
}

/** A program `docker` that keeps what it was started with, and is a server with one tool. */
async function docker(t: TestContext): Promise<{ path: string; folder: string }> {
  const folder = await scratch(t);
  const path = join(folder, 'bin');
  await mkdir(path);
  const answer = (id: number, result: object): string => `echo '${JSON.stringify({ jsonrpc: '2.0', id, result })}'`;
  const code = `#!/bin/sh
printf '%s\\n' "$@" > "${folder}/args"
env > "${folder}/env"
previous=
for each in "$@"; do
  if [ "$previous" = --secrets ]; then cp -p "$each" "${folder}/secrets"; fi
  if [ "$previous" = --config ]; then cp -p "$each" "${folder}/config"; fi
  previous=$each
done
read a; ${answer(1, { capabilities: { tools: {} } })}; read b; read c
${answer(2, { tools: [{ name: 'search' }] })}; read d`;
  await writeFile(join(path, 'docker'), code);
  await chmod(join(path, 'docker'), 0o755);
  return { path, folder };
}

async function served(t: TestContext, name: string, fields: object, body?: string) {
  const { path, folder } = await docker(t);
  const warnings: string[] = [];
  const toolset = {
    type: 'mcp',
    ref: `docker:${name}`,
    command: 'docker',
    args: ['mcp', 'gateway', 'run', '--servers', name],
    ...fields,
  } as Toolsets[number];
  const { box } = await toolsOf(t, [toolset], {
    env: { PATH: `${path}:${process.env['PATH']}` },
    secret: (secret) => Promise.resolve(`value-of-${secret}`),
    dockerCatalog: await catalog(t, body),
    warn: (message) => warnings.push(message),
  });
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  return { box, warnings, folder, read };
}

describe('server of the Docker MCP catalog', { skip }, () => {
  for (const [what, key] of [
    ['a variable', 'BRAVE_API_KEY'],
    ['a secret by its name in Docker', 'brave.api_key'],
  ] as const)
    test(`"env" with ${what} reaches the gateway as a secret, in a file for the user alone`, async (t) => {
      const { box, warnings, folder, read } = await served(t, 'brave', { env: { [key]: '${env.MINE}' } });
      assert.deepEqual(warnings, []);
      assert.deepEqual(
        box.tools.map(({ name }) => name),
        ['search'],
      );
      assert.equal(await read('secrets'), 'brave.api_key=value-of-MINE\n');
      assert.equal((await stat(join(folder, 'secrets'))).mode & 0o777, 0o600);
      const args = (await read('args')).trim().split('\n');
      assert.deepEqual(args.slice(0, 5), ['mcp', 'gateway', 'run', '--servers', 'brave']);
      assert.deepEqual([args[5], args.length], ['--secrets', 7]);
      assert.ok(!(await read('env')).includes('value-of-MINE'), 'the value is in the environment of docker');
      await box.close();
      await assert.rejects(stat(args[6] ?? ''), { code: 'ENOENT' });
    });

  test('"env" and "config" work together', async (t) => {
    const { warnings, read } = await served(t, 'brave', { env: { BRAVE_API_KEY: 'x' }, config: { limit: 3 } });
    assert.deepEqual(warnings, []);
    assert.equal(await read('secrets'), 'brave.api_key=x\n');
    assert.deepEqual(JSON.parse(await read('config')), { brave: { limit: 3 } });
  });

  const failures: readonly [what: string, server: string, env: object, message: RegExp][] = [
    [
      'a variable that the server does not take',
      'brave',
      { BRAVE_KEY: 'x' },
      /"env" has BRAVE_KEY, which is no secret of brave; it takes BRAVE_API_KEY/,
    ],
    [
      'a secret that is left out',
      'pair',
      { PAIR_USER: 'x' },
      /pair needs PAIR_TOKEN, too; add it to "env", or leave "env" out and use "docker mcp secret"/,
    ],
    ['a server without secrets', 'fetch', { A: 'x' }, /"env" has A, and fetch takes no secrets; remove it/],
    ['a remote server', 'apify', { APIFY_TOKEN: 'x' }, /apify is elsewhere, at https:\/\/mcp\.apify\.com; .*"remote"/],
    ['a server that is not there', 'nobody', { A: 'x' }, /the Docker MCP catalog has no server nobody/],
    ['a value in two lines', 'brave', { BRAVE_API_KEY: 'a\nb=c' }, /BRAVE_API_KEY must be text in one line/],
  ];
  for (const [what, server, env, message] of failures)
    test(`an "env" that cannot reach the server leaves it out, with a sentence: ${what}`, async (t) => {
      const { box, warnings } = await served(t, server, { env });
      assert.deepEqual(box.tools, []);
      assert.match(warnings.join('\n'), message);
      assert.match(warnings.join('\n'), /the run goes on without its tools$/);
    });

  test('tools that the file names of an unusable server are no error', async (t) => {
    const { warnings } = await served(t, 'brave', { env: { A: 'x' }, tools: ['search'], defer: ['search'] });
    assert.equal(warnings.length, 1);
  });

  test('a catalog that cannot be read is named in the warning', async (t) => {
    const { warnings } = await served(t, 'brave', { env: { BRAVE_API_KEY: 'x' } }, '<html>');
    assert.match(warnings.join('\n'), /the Docker MCP catalog .* cannot be read/);
  });
});
