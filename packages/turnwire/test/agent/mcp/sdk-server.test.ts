import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { remoteServer } from './servers/sdk-server.js';
import { scratch } from '../scratch.js';
import { toolsOf } from '../tools/tools.js';

const program = fileURLToPath(new URL('./servers/sdk-server-command.js', import.meta.url));
const skip = process.platform === 'win32';

describe('MCP servers made with the SDK', () => {
  test('a server that is started here: its tools, instructions, errors, and results that are too long', async (t) => {
    const { box, call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program], name: 'calc' }]);
    assert.deepEqual(
      box.tools.map(({ name, readOnly }) => [name, readOnly]),
      [
        ['calc_add', true],
        ['calc_write_it', false],
        ['calc_fail', false],
        ['calc_long', false],
        ['calc_hang', false],
        ['calc_env', false],
        ['calc_ask', false],
        ['calc_exit', false],
      ],
    );
    assert.equal(box.tools[1]?.alias, 'mcp:calc:write.it');
    assert.equal(box.instructions, 'Add before you speak.');
    assert.equal(await call('calc_add', { a: 2, b: 3 }), '5');
    await assert.rejects(call('calc_fail'), { message: 'it broke' });
    await assert.rejects(call('calc_add', { a: 'x' }), /a/);
    const long = await call('calc_long');
    assert.ok(long.length < 300_000);
    assert.match(long, /\[cut: \d+ of 1000000 bytes are not shown\]/);
  });

  test('a call ends with the run, and the server can be used after it', async (t) => {
    const { call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program] }]);
    const controller = new AbortController();
    const hanging = call('hang', {}, controller.signal);
    controller.abort(new Error('over'));
    await assert.rejects(hanging, /over/);
    assert.equal(await call('add', { a: 1, b: 1 }), '2');
  });

  test('a server that has ended is started again for the next call; the call that it ended with is not repeated', async (t) => {
    const { call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program] }]);
    await assert.rejects(call('exit'), /it ended with status 3; the call may have had effects$/);
    assert.equal(await call('add', { a: 1, b: 1 }), '2');
  });

  test(
    'a server gets the variables of the file with their secrets, and its children end with it',
    { skip },
    async (t) => {
      const directory = await scratch(t);
      const pidFile = join(directory, 'pid');
      const { call, box } = await toolsOf(
        t,
        [
          {
            type: 'mcp',
            command: process.execPath,
            args: [program],
            env: { TOKEN: '${env.MY}', CHILD_PID_FILE: pidFile },
          },
        ],
        { directory, secret: (name) => Promise.resolve(`the ${name}`) },
      );
      const env = JSON.parse(await call('env')) as Record<string, string>;
      assert.equal(env['TOKEN'], 'the MY');
      assert.equal(env['HOME'], undefined);
      const pid = Number(await readFile(pidFile, 'utf8'));
      await box.close();
      for (;;) {
        const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z ');
        if (/\) [ZX] /.test(state)) break;
      }
    },
  );

  for (const transport of ['streamable', 'sse'] as const) {
    for (const named of [transport, undefined]) {
      test(`a server elsewhere over ${transport}, ${named === undefined ? 'found out' : 'as the file says'}; its headers`, async (t) => {
        const { url, requests } = await remoteServer(t, transport);
        const { call } = await toolsOf(
          t,
          [
            {
              type: 'mcp',
              remote: { url, transport_type: named, headers: { 'X-Key': 'k ${env.MY}' } },
              tools: ['add', 'fail'],
            },
          ],
          { secret: () => Promise.resolve('secret') },
        );
        assert.equal(await call('add', { a: 2, b: 3 }), '5');
        await assert.rejects(call('fail'), { message: 'it broke' });
        assert.ok(requests.length > 2);
        assert.ok(requests.every((headers) => headers['x-key'] === 'k secret'));
      });
    }
  }

  test('a server that cannot be used is named in one sentence without a secret', async (t) => {
    const secret = () => Promise.resolve('topsecret');
    const failing = [
      [
        { command: 'no-such-command-here', env: { A: '${env.B}' } },
        /MCP server no-such-command-here cannot be used: .*ENOENT/,
      ],
      [
        { command: process.execPath, args: ['-e', 'console.error("no licence"); process.exit(1)'], name: 'tool' },
        /MCP server tool .*it said: no licence/,
      ],
      [
        { remote: { url: 'http://127.0.0.1:9/', headers: { A: '${env.B}' } } },
        /MCP server http:\/\/127\.0\.0\.1:9\/ cannot be used/,
      ],
    ] as const;
    for (const [settings, says] of failing) {
      await assert.rejects(toolsOf(t, [{ type: 'mcp', ...settings } as never], { secret }), (error: Error) => {
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /topsecret/);
        return true;
      });
    }
  });

  /** A server that refuses everything, and says what it was sent. */
  async function refusing(t: TestContext, status: number): Promise<{ url: string; requests: () => number }> {
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      response.writeHead(status).end(`no: ${request.headers.authorization}`);
    }).listen(0, '127.0.0.1');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, requests: () => requests };
  }

  const opening = (t: TestContext, url: string, transport_type: 'sse' | undefined) =>
    toolsOf(t, [{ type: 'mcp', remote: { url, transport_type, headers: { Authorization: 'Bearer ${env.MY}' } } }], {
      secret: () => Promise.resolve('topsecret'),
    });

  test('a server elsewhere that refuses its token: the sentence says what to do, once', async (t) => {
    const { url, requests } = await refusing(t, 401);
    const message = `the MCP server ${url} cannot be used: it refuses the token that "headers" of "remote" has for it (status 401); put one there that is valid, or none, to sign in by OAuth`;
    await assert.rejects(opening(t, url, undefined), { message });
    assert.equal(requests(), 1);
    await assert.rejects(opening(t, url, 'sse'), { message });
  });

  test('a server elsewhere that refuses and repeats what it was sent: the sentence holds no secret', async (t) => {
    const { url } = await refusing(t, 403);
    await assert.rejects(opening(t, url, undefined), ({ message }: Error) => {
      assert.match(message, /\(status 403\): no: \[hidden\]$/);
      assert.doesNotMatch(message, /topsecret/);
      return true;
    });
  });
});
