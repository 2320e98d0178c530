// Connections of POSTs between two turns, against a server that is written by hand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { plainConnect } from '../../../dist/network/connect/connect.js';
import { KeepAliveConnections } from '../../../dist/network/post/keep-alive-connections.js';
import { FakeClock } from '../../base/fake-clock.js';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

const never = new AbortController().signal;

async function setUp(t: TestContext, answer: string) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      // A request is its head and one byte.
      if (chunk.toString().endsWith('!')) socket.write(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock();
  const { port } = server.address() as AddressInfo;
  const connections = new KeepAliveConnections(plainConnect({ host: '127.0.0.1', port }), clock);
  t.after(() => {
    connections.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const ask = async (restMs = Infinity): Promise<{ reused: boolean; body: string }> => {
    const { connection, reused } = await connections.acquire(restMs, never);
    let body = '';
    await new Promise<void>((resolve, reject) => {
      connection.exchange(
        { url: new URL('http://localhost/'), headers: {}, body: Buffer.from('!') },
        {
          connected: () => {},
          sending: () => {},
          expectRejected: () => {},
          sent: () => {},
          head: () => {},
          body: (bytes) => (body += bytes.toString()),
          end: resolve,
          failed: reject,
        },
      );
    });
    return { reused, body };
  };
  return { sockets, clock, connections, ask };
}

const answered = (head: string): string => `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${head}\r\nhi`;

describe('kept connections of POSTs', () => {
  test('an idle connection is used again, unless its taker asks for a fresh one', async (t) => {
    const { ask, sockets } = await setUp(t, answered(''));
    assert.deepEqual(await ask(), { reused: false, body: 'hi' });
    assert.deepEqual(await ask(), { reused: true, body: 'hi' });
    assert.deepEqual(await ask(0), { reused: false, body: 'hi' });
    assert.equal(sockets.length, 2);
  });

  test('a connection that was idle for longer than its taker allows is not used', async (t) => {
    const { ask, clock, sockets } = await setUp(t, answered(''));
    await ask();
    clock.advance(4999);
    assert.equal((await ask(5000)).reused, true);
    clock.advance(5000);
    assert.equal((await ask(5000)).reused, false);
    assert.equal(sockets.length, 2);
  });

  test('an idle connection is closed a second before the time of the server’s keep-alive header', async (t) => {
    const { ask, clock } = await setUp(t, answered('keep-alive: timeout=5, max=9\r\n'));
    await ask();
    clock.advance(3999);
    assert.equal((await ask()).reused, true);
    clock.advance(4000);
    assert.equal((await ask()).reused, false);
  });

  for (const [name, head] of [
    ['says that it closes', 'connection: close\r\n'],
    ['keeps connections for a second', 'keep-alive: timeout=1\r\n'],
  ] as const) {
    test(`a connection is not kept if its server ${name}`, async (t) => {
      const { ask } = await setUp(t, answered(head));
      await ask();
      assert.equal((await ask()).reused, false);
    });
  }

  for (const [name, act] of Object.entries({
    'ended by the server': (socket: Socket) => socket.end(),
    'on which something came unasked': (socket: Socket) => socket.write(answered('')),
  })) {
    test(`a connection ${name} while it was idle is not used`, async (t) => {
      const { ask, sockets } = await setUp(t, answered(''));
      await ask();
      const [socket] = sockets;
      assert(socket !== undefined);
      const closed = once(socket, 'close');
      act(socket);
      await closed;
      assert.equal((await ask()).reused, false);
    });
  }

  test('an answer with more behind it is whole, and its connection is not used again', async (t) => {
    const { ask } = await setUp(t, `${answered('')}HTTP/1.1 200 OK\r\n\r\n`);
    assert.deepEqual(await ask(), { reused: false, body: 'hi' });
    assert.deepEqual(await ask(), { reused: false, body: 'hi' });
  });

  test('32 idle connections are kept and no more, and none after destroy()', async (t) => {
    const { ask, connections, sockets } = await setUp(t, answered(''));
    await Promise.all(Array.from({ length: 40 }, () => ask()));
    const again = await Promise.all(Array.from({ length: 40 }, () => ask()));
    assert.equal(again.filter(({ reused }) => reused).length, 32);
    const all = Promise.all(sockets.filter(({ closed }) => !closed).map((socket) => once(socket, 'close')));
    connections.destroy();
    await all;
  });
});
