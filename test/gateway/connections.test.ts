import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { hashKey, startGateway } from '@turnwire/gateway';
import { setUp } from './setup.js';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

function open(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  return socket;
}

/** What the server says until it ends the connection. Rejects where the connection is reset. */
async function readToEnd(socket: Socket): Promise<string> {
  let said = '';
  socket
    .setEncoding('latin1')
    .on('data', (piece: string) => (said += piece))
    .resume();
  await once(socket, 'end');
  return said;
}

const length = 16 * 1024 * 1024;
const post = `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n`;
const upgrade =
  'GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
const principals = [{ name: 'one', keys: [hashKey('one')] }];

describe('gateway: an answer before the request has come whole', () => {
  for (const [name, head, status, config] of [
    ['a body that is too large', post, 413, { limits: { body_bytes: 1000 } }],
    [
      'chunks that are too large together',
      post.replace(/content.*/, 'transfer-encoding: chunked'),
      413,
      { limits: { body_bytes: 1000 } },
    ],
    ['an unknown key', `${post}authorization: Bearer no\r\n`, 401, { principals, upstream: { key: 'KEY' } }],
    ['an unknown coding', `${post}content-encoding: lzma\r\n`, 415, {}],
    ['the page of another origin', `${post}origin: https://evil.example\r\n`, 403, {}],
    ['two hosts', `${post}host: other.example\r\n`, 400, {}],
    [
      'an upgrade with an unknown key',
      `${upgrade}authorization: Bearer no\r\n`,
      401,
      { principals, upstream: { key: 'KEY' } },
    ],
    ['an upgrade that is not valid', upgrade.replace('GET', 'POST'), 400, {}],
    ['a head that is too large', `${upgrade}x: ${'x'.repeat(100_000)}`, 431, {}],
  ] as const) {
    test(`reaches a client that reads once it has sent everything: ${name}`, async (t) => {
      const { gateway } = await setUp(t, {}, config, { secret: () => Promise.resolve('sk-upstream') });
      const socket = open(t, gateway.port).pause();
      socket.write(`${head}\r\n`);
      if (head.includes('chunked')) socket.write(`${length.toString(16)}\r\n`);
      await new Promise<void>((resolve, reject) => {
        socket.write(Buffer.alloc(length, 'x'), (error) => (error ? reject(error) : resolve()));
      });
      const said = await readToEnd(socket);
      assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(said, /^connection: close\r$/im);
      assert.match(said, /\{"error":\{.*\}\}$/);
    });
  }

  test('leaves the connection open where the rest of the request is small', async (t) => {
    const { gateway } = await setUp(
      t,
      {},
      { principals, upstream: { key: 'KEY' } },
      { secret: () => Promise.resolve('sk') },
    );
    const socket = open(t, gateway.port);
    const ask = 'POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n';
    for (let request = 0; request < 2; request += 1) {
      socket.write(ask);
      const [said] = (await once(socket, 'data')) as [Buffer];
      assert.match(said.toString(), /^HTTP\/1\.1 401 /);
      assert.doesNotMatch(said.toString(), /^connection: close/im);
      socket.write('12345');
    }
  });

  test('ends the connection of a client that sends no more, and stays', { timeout: 60_000 }, async (t) => {
    const { gateway } = await setUp(t, {}, { limits: { body_bytes: 1000 } });
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => socket.destroy());
    socket.write(`${post}\r\n`);
    await readToEnd(socket);
    // The client reads no further: only what it writes shows that the connection is gone.
    const gone = once(socket, 'error');
    const writing = setInterval(() => socket.write('x'), 3000);
    t.after(() => clearInterval(writing));
    await gone;
  });

  test('of the upstream passes on, and the rest of the request is read', async (t) => {
    const server = createServer((request, response) => {
      response.writeHead(413, { 'content-type': 'application/json' }).end('{"error":{"code":"of_the_upstream"}}');
      request.resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gateway = await startGateway({
      config: {
        listen: { port: 0 },
        upstream: { base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` },
      },
      onWarning: () => {},
    });
    t.after(() => {
      gateway.destroy();
      server.closeAllConnections();
      server.close();
    });
    const socket = open(t, gateway.port).pause();
    socket.write(`${post.replace('responses', 'files')}\r\n`);
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.alloc(length, 'x'), (error) => (error ? reject(error) : resolve()));
    });
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 413 [\s\S]*"of_the_upstream"/);
  });
});

describe('gateway: requests that are sent without waiting for answers', () => {
  const body = '{"model":"m","input":"x"}';
  const plain = (more = ''): string =>
    `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`;
  const offer = plain(
    'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n',
  );
  const last = plain('connection: close\r\n');

  for (const [name, requests] of [
    ['two that offer h2c', [offer, offer, last]],
    ['one that offers h2c after one that does not', [plain(), offer, last]],
    ['one that offers h2c before one that does not', [offer, plain(), last]],
  ] as const) {
    test(`each have their answer: ${name}`, async (t) => {
      const { gateway, emulator } = await setUp(t);
      const socket = open(t, gateway.port);
      socket.write(requests.join(''));
      const said = await readToEnd(socket);
      assert.equal(said.match(/HTTP\/1\.1 200 /g)?.length, requests.length);
      assert.equal(emulator.journal.turns().length, requests.length);
    });
  }

  test('have their answers before an upgrade has its own', async (t) => {
    const { gateway } = await setUp(t);
    const socket = open(t, gateway.port);
    socket.write(`${plain()}${upgrade}\r\n`);
    let said = '';
    for await (const piece of socket.setEncoding('latin1') as AsyncIterable<string>) {
      said += piece;
      if (said.includes(' 101 ')) break;
    }
    assert.match(said, /^HTTP\/1\.1 200 [\s\S]*"status":"completed"[\s\S]*HTTP\/1\.1 101 /);
  });

  test('end with their client, also those whose turn to be answered has not come', async (t) => {
    // Over a WebSocket the upstream would be told by its end alone: the lane of a turn that nobody reads is read on for a while.
    const config = { upstream: { transport: 'sse' } } as const;
    const { gateway, emulator } = await setUp(t, { faults: [{ do: 'stall after=2' }] }, config);
    const socket = open(t, gateway.port);
    socket.write(plain() + plain());
    const outcomes = (): unknown[] => emulator.journal.turns().map(({ outcome }) => outcome);
    const until = async (done: () => boolean): Promise<void> => {
      while (!done())
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    };
    await until(() => outcomes().length === 2);
    socket.destroy();
    await until(() => outcomes().every((outcome) => outcome === 'aborted'));
  });
});
