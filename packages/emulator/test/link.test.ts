import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { CongestionWindow } from '../dist/base/congestion-window.js';
import { EmulatorError, startLink, type LinkOptions } from '../dist/index.js';

type Context = { after(fn: () => Promise<void> | void): void };

async function serve(t: Context, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : assert.fail();
}

async function dial(t: Context, options: LinkOptions) {
  const link = await startLink(options);
  t.after(() => link.close());
  const socket = connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  t.after(() => void socket.destroy());
  await once(socket, 'connect');
  return { link, socket };
}

/** Resolves when the other end has ended or reset the connection. */
function over(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('end', () => resolve());
    socket.once('close', () => resolve());
  });
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const echo = (socket: Socket) => void socket.pipe(socket);

test('link: bytes pass unchanged in both directions, half-close included, and are counted', async (t) => {
  const sent = Buffer.alloc(3_000_000, 'abcdefg');
  const { link, socket } = await dial(t, { to: await serve(t, echo), rttMs: 4 });
  socket.end(sent);
  const received = await readAll(socket);
  assert.ok(received.equals(sent));
  assert.deepEqual([link.sentBytes, link.receivedBytes, link.connections], [sent.length, sent.length, 1]);
});

test('link: opening a connection takes one round trip, and each exchange another', async (t) => {
  const begun = performance.now();
  const { socket } = await dial(t, { to: await serve(t, echo), rttMs: 60 });
  socket.write('a');
  await once(socket, 'data');
  const first = performance.now();
  assert.ok(first - begun >= 115, `${first - begun} ms`);
  socket.write('b');
  await once(socket, 'data');
  assert.ok(performance.now() - first >= 55);
});

test('link: the delay does not limit the throughput', async (t) => {
  const { socket } = await dial(t, { to: await serve(t, echo), rttMs: 1000 });
  const begun = performance.now();
  socket.end(Buffer.alloc(8_000_000));
  await readAll(socket);
  // Waiting for each 64 KiB chunk would take over 60 s.
  assert.ok(performance.now() - begun < 30_000);
});

test('link: all connections share the uplink', async (t) => {
  let received = 0;
  const port = await serve(
    t,
    (socket) => void socket.on('data', (chunk) => (received += chunk.length)).on('end', () => socket.end()),
  );
  const { link, socket } = await dial(t, { to: port, uplinkBitsPerSecond: 8_000_000 });
  const other = connect({ port: link.port, host: '127.0.0.1' });
  const begun = performance.now();
  // The link carries 300,000 bytes at 1,000,000 bytes per second.
  socket.end(Buffer.alloc(150_000));
  other.end(Buffer.alloc(150_000));
  await Promise.all([readAll(socket), readAll(other)]);
  assert.ok(performance.now() - begun >= 290);
  assert.equal(received, 300_000);
});

test("link: a client that leaves with unread bytes resets the server's connection", async (t) => {
  let broken: (code: string | undefined) => void = () => undefined;
  const code = new Promise<string | undefined>((resolve) => {
    broken = resolve;
  });
  const port = await serve(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => broken(error.code));
    socket.write(Buffer.alloc(20_000_000));
  });
  const { socket } = await dial(t, { to: port, rttMs: 4 });
  // Closing with unread bytes in the kernel's buffer is what makes a TCP stack send a reset.
  await once(socket, 'readable');
  socket.destroy();
  assert.match(String(await code), /^(ECONNRESET|EPIPE)$/);
});

test('link: a reset by the server reaches the client', async (t) => {
  const port = await serve(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()));
  const { socket } = await dial(t, { to: port, rttMs: 4 });
  socket.resume();
  socket.write('x');
  // Node.js sends a FIN before its reset, so the link may receive either first. The connection must end in both directions.
  await over(socket);
});

test('link: a connection ends if the server does not listen', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const address = gone.address();
  gone.close();
  await once(gone, 'close');
  const { socket } = await dial(t, {
    to: typeof address === 'object' && address !== null ? address.port : assert.fail(),
  });
  socket.resume();
  await over(socket);
});

test('link: a client waits for a server that does not read', async (t) => {
  const { link, socket } = await dial(t, { to: await serve(t, (server) => void server.pause()) });
  const chunk = Buffer.alloc(1024 * 1024);
  let written = 0;
  while (written < 200 && socket.write(chunk)) written += 1;
  // Writes until no byte was accepted for a while, when the buffers of the kernel and the link are full.
  for (let quiet = 0, last = -1; quiet < 10; quiet += 1) {
    for (let i = 0; i < 10; i += 1) socket.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (link.sentBytes !== last) quiet = 0;
    last = link.sentBytes;
    assert.ok(last < 150 * chunk.length);
  }
});

test('link: close() cuts all connections, and invalid options are refused', async (t) => {
  const { link, socket } = await dial(t, { to: await serve(t, echo), rttMs: 1000 });
  socket.write('x');
  await link.close();
  socket.resume();
  await over(socket);
  for (const options of [{ to: 0 }, { to: 80, rttMs: -1 }, { to: 80, uplinkBitsPerSecond: Number.NaN }]) {
    await assert.rejects(
      startLink(options),
      (error) => error instanceof EmulatorError && error.code === 'invalid_option',
    );
  }
});

test('link: bytes beyond the congestion window wait for acknowledgements, in order', async (t) => {
  const sent = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
  const to = await serve(t, (socket) => void socket.once('data', () => socket.end(sent)));
  const { socket } = await dial(t, { to, rttMs: 20, windowBytes: 10_000 });
  const begun = performance.now();
  socket.write('?');
  assert.ok((await readAll(socket)).equals(sent));
  // The request and the first 10 kB take one round trip; 20 kB and 40 kB follow, each after another. Timers may fire a millisecond early.
  assert.ok(performance.now() - begun >= 20 + 20 + 20 - 3);
});

test('link: an end follows the bytes that waited for the congestion window', async (t) => {
  let got: (bytes: Buffer) => void = () => undefined;
  const whole = new Promise<Buffer>((resolve) => {
    got = resolve;
  });
  const to = await serve(t, (socket) => void readAll(socket).then(got));
  const { socket } = await dial(t, { to, rttMs: 4, windowBytes: 1000 });
  const sent = Buffer.alloc(50_000, 'xyz');
  socket.end(sent);
  assert.ok((await whole).equals(sent));
});

test('a congestion window grows by the acknowledged bytes, and has its initial size again after an idle time', () => {
  const window = new CongestionWindow(100, 250);
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
