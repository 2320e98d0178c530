// The MCP project's own servers, over each way to a server and behind the proxies that are installed. They are installed by `npm run test:extra`.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../scratch.js';
import { type Tools, toolsOf } from '../tools/tools.js';

const servers = fileURLToPath(
  new URL('../../../../../.cache/extra/node_modules/@modelcontextprotocol/', import.meta.url),
);
const skip = existsSync(join(servers, 'server-everything'))
  ? process.platform === 'win32' && 'needs process groups'
  : 'the official servers are not installed; "npm run test:extra" installs and runs them';
const programOf = (name: string): string => join(servers, `server-${name}`, 'dist', 'index.js');

type Transport = 'streamable' | 'sse';

function local(t: TestContext, name: string, args: string[], env: Record<string, string> = {}): Promise<Tools> {
  return toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [programOf(name), ...args], env }]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** Starts a program and waits until its port takes connections. */
async function listening(t: TestContext, child: ChildProcess, port: number): Promise<void> {
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
  }
  throw new Error(`the program ended with status ${child.exitCode}`);
}

/** server-everything over HTTP; its port. */
async function everything(t: TestContext, transport: Transport): Promise<number> {
  const port = await freePort();
  const kind = transport === 'sse' ? 'sse' : 'streamableHttp';
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(process.execPath, [programOf('everything'), kind], { env, stdio: 'ignore' });
  await listening(t, child, port);
  return port;
}

/** Programs that stand before a server, by the configuration with which they do. */
const proxies: Readonly<
  Record<string, (folder: string, port: number, target: number) => [file: string, text: string, args: string[]]>
> = {
  // Its places are relative to the folder: a name with a blank would be two.
  nginx: (folder, port, target) => [
    'nginx.conf',
    `daemon off; pid pid; error_log error.log; events {}
     http {
       access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
       server {
         listen 127.0.0.1:${port};
         location / {
           proxy_pass http://127.0.0.1:${target}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
         }
       }
     }`,
    ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')],
  ],
  haproxy: (folder, port, target) => [
    'haproxy.cfg',
    `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server one 127.0.0.1:${target}
`,
    ['-db', '-f', join(folder, 'haproxy.cfg')],
  ],
};

async function behind(t: TestContext, name: string, target: number): Promise<number> {
  const folder = await scratch(t);
  const port = await freePort();
  const [file, text, args] = proxies[name]?.(folder, port, target) ?? ['', '', []];
  await writeFile(join(folder, file), text);
  await listening(t, spawn(name, args, { stdio: 'ignore' }), port);
  return port;
}

/** What every way to server-everything has to give. */
async function exercise({ box, call, output }: Tools): Promise<void> {
  assert.match(box.instructions, /Everything Server/);
  assert.equal(await call('echo', { message: 'grüße' }), 'Echo: grüße');
  assert.equal(await call('get-sum', { a: 1, b: 2 }), 'The sum of 1 and 2 is 3.');
  assert.match(await call('get-structured-content', { location: 'New York' }), /"temperature":33/);
  assert.match(await call('get-resource-links', { count: 2 }), /demo:\/\/resource\/dynamic\/text\/2/);
  assert.match(
    await call('get-resource-reference', { resourceType: 'Text', resourceId: 1 }),
    /plaintext resource created/,
  );
  assert.match(await call('trigger-long-running-operation', { duration: 1, steps: 2 }), /completed/);
  const image = await output('get-tiny-image');
  assert.ok(Array.isArray(image));
  assert.deepEqual(
    image.map(({ type }: { type: string }) => type),
    ['input_text', 'input_image', 'input_text'],
  );
  await assert.rejects(call('get-sum', { a: 'x' }), /invalid|expected number/i);
  const twelve = Array.from({ length: 12 }, (_, index) => call('echo', { message: String(index) }));
  assert.deepEqual(
    await Promise.all(twelve),
    Array.from({ length: 12 }, (_, index) => `Echo: ${index}`),
  );
  const controller = new AbortController();
  const long = call('trigger-long-running-operation', { duration: 60, steps: 600 }, controller.signal);
  setTimeout(() => controller.abort(new Error('stopped')), 300);
  await assert.rejects(long, /stopped/);
  assert.equal(await call('echo', { message: 'still here' }), 'Echo: still here');
}

describe('official MCP server', { skip }, () => {
  test('everything, over stdio', async (t) => {
    await exercise(await local(t, 'everything', ['stdio']));
  });

  for (const transport of ['streamable', 'sse'] as const) {
    const path = transport === 'sse' ? '/sse' : '/mcp';
    const over = async (t: TestContext, port: number): Promise<Tools> =>
      toolsOf(t, [{ type: 'mcp', remote: { url: `http://127.0.0.1:${port}${path}`, transport_type: transport } }]);

    test(`everything, over ${transport}`, async (t) => {
      await exercise(await over(t, await everything(t, transport)));
    });

    for (const name of Object.keys(proxies)) {
      const missing = spawnSync(name, ['-v']).error !== undefined && `${name} is not installed`;
      test(`everything, over ${transport} behind ${name}`, { skip: missing }, async (t) => {
        await exercise(await over(t, await behind(t, name, await everything(t, transport))));
      });
    }
  }

  test('everything: restarted between two calls, its session is begun anew', async (t) => {
    const port = await freePort();
    const env = { ...process.env, PORT: String(port) };
    const start = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, [programOf('everything'), 'streamableHttp'], { env, stdio: 'ignore' });
      await listening(t, child, port);
      return child;
    };
    const first = await start();
    const url = `http://127.0.0.1:${port}/mcp`;
    const { call } = await toolsOf(t, [{ type: 'mcp', remote: { url, transport_type: 'streamable' } }]);
    assert.equal(await call('echo', { message: 'one' }), 'Echo: one');
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
    await start();
    assert.equal(await call('echo', { message: 'two' }), 'Echo: two');
  });

  test('filesystem: reads, writes and lists, an image as an image', async (t) => {
    const folder = await scratch(t);
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await writeFile(join(folder, 'i.png'), Buffer.from(pixel, 'base64'));
    const { call, output } = await local(t, 'filesystem', [folder]);
    await call('write_file', { path: join(folder, 'a.txt'), content: 'grüße' });
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'grüße');
    assert.equal(await call('read_text_file', { path: join(folder, 'a.txt') }), 'grüße');
    assert.match(await call('list_directory', { path: folder }), /\[FILE\] a\.txt/);
    assert.deepEqual(await output('read_media_file', { path: join(folder, 'i.png') }), [
      { type: 'input_image', image_url: `data:image/png;base64,${pixel}` },
    ]);
    await assert.rejects(call('read_text_file', { path: '/etc/passwd' }), /outside allowed directories/);
  });

  test('memory: remembers', async (t) => {
    const folder = await scratch(t);
    await mkdir(join(folder, 'kept'));
    const { call } = await local(t, 'memory', [], { MEMORY_FILE_PATH: join(folder, 'kept', 'memory.json') });
    await call('create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['likes tea'] }] });
    assert.match(await call('read_graph'), /likes tea/);
    assert.match(await call('search_nodes', { query: 'tea' }), /Ada/);
  });
});
