import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { startLink, Window } from '../dist/link.js';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A server that answers each chunk with what `answer` makes of it. */
async function serving(t: TestContext, answer: (socket: Socket, chunk: Buffer) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (chunk: Buffer) => answer(socket, chunk));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function received(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks);
}

test('a connection costs a round trip, and so does each question; the bytes are unchanged and counted', async (t) => {
  const to = await serving(t, (socket, chunk) => socket.write(chunk));
  const link = await startLink({ to, rttMs: 30 });
  t.after(() => link.close());
  const socket = connect(link.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const text = Buffer.from('what comes out is what went in');

  const begun = performance.now();
  socket.write(text);
  assert.deepEqual(await received(socket, text.length), text);
  const first = performance.now() - begun;
  socket.write(text);
  assert.deepEqual(await received(socket, text.length), text);
  const second = performance.now() - begun - first;

  // Timers may fire a millisecond early; a busy machine is late, and no upper bound holds there.
  assert(first >= 58, `${first} ms`);
  assert(second >= 28, `${second} ms`);
  assert.deepEqual(link.counts(), { connections: 1, sentBytes: text.length * 2, receivedBytes: text.length * 2 });
});

test('with a window, bytes beyond it wait for round trips; and order is kept', async (t) => {
  const windowBytes = 10_000;
  const sent = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
  const to = await serving(t, (socket) => socket.write(sent));
  const link = await startLink({ to, rttMs: 20, windowBytes });
  t.after(() => link.close());
  const socket = connect(link.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const begun = performance.now();
  socket.write('?');
  assert.deepEqual(await received(socket, sent.length), sent);
  // Dial and question: two round trips less half of one. Then 10, 20 and 40 kB leave, a round trip apart: two more.
  assert(performance.now() - begun >= 20 + 20 + 40 - 3, `${performance.now() - begun} ms`);
});

test('a window grows by what is acknowledged, and idling resets it', () => {
  const window = new Window(100, 250);
  assert.equal(window.room(0), 100);
  window.sent(100, 0);
  assert.equal(window.room(1), 0);
  window.acknowledged(100);
  assert.equal(window.room(40), 200);
  window.sent(150, 40);
  assert.equal(window.room(400), 50, 'while bytes are under way the connection is not idle');
  window.acknowledged(150);
  assert.equal(window.room(290), 350, '250 ms after the last sending: not yet idle for longer');
  assert.equal(window.room(291), 100);
});

test('an end passes through, and a lost server ends its clients', async (t) => {
  const to = await serving(t, (socket, chunk) => (String(chunk) === 'bye' ? socket.end('bye') : socket.destroy()));
  const link = await startLink({ to, rttMs: 4 });
  t.after(() => link.close());
  for (const [question, answer] of [
    ['bye', 'bye'],
    ['die', ''],
  ] as const) {
    const socket = connect(link.port, '127.0.0.1');
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(question);
    await once(socket, 'close');
    assert.equal(text, answer);
  }
});
