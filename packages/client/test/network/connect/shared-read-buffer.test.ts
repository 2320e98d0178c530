// What a socket has brought is told once, in order: what its stream holds, then what is read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket as NetSocket, connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { openWithSharedBuffer, readBytes } from '../../../dist/network/connect/shared-read-buffer.js';
import type { AddressInfo, Socket } from 'node:net';

const greeting = 'before anybody takes it ';
/** More than one read can bring. */
const rest = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

/** A server that greets, and says the rest when it is told to. */
async function serve(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket) => {
    socket.write(greeting);
    socket.once('data', () => socket.end(rest));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

async function bytesOf(socket: Socket): Promise<Buffer> {
  await once(socket, 'readable');
  const pieces: Buffer[] = [];
  readBytes(socket, (bytes) => pieces.push(Buffer.from(bytes)));
  assert.equal(Buffer.concat(pieces).toString(), greeting);
  socket.write('go on');
  await once(socket, 'end');
  return Buffer.concat(pieces).subarray(greeting.length);
}

describe('shared read buffer', () => {
  test('a socket whose connect was replaced, as libraries do that mock the network, is read as a stream', () => {
    const ours = Reflect.get(NetSocket.prototype, 'connect') as (...args: unknown[]) => Socket;
    const replace = (connect: unknown): boolean => Reflect.set(NetSocket.prototype, 'connect', connect);
    replace(function connectMocked(this: Socket, ...args: unknown[]) {
      return Reflect.apply(ours, this, args);
    });
    const given: unknown[] = [];
    const open = (onread: unknown): Socket => {
      given.push(onread);
      return new NetSocket();
    };
    try {
      openWithSharedBuffer(open);
    } finally {
      replace(ours);
    }
    openWithSharedBuffer(open);
    assert.equal(given[0], undefined);
    // Where Node's own sockets are not known by this any more, each read costs more.
    assert.equal(given[1] === undefined, process.platform === 'win32');
  });

  test('two sockets that are read in turns each have their own bytes', async () => {
    await serve(async (port) => {
      const open = () =>
        openWithSharedBuffer((onread) => connect({ host: '127.0.0.1', port, ...(onread && { onread }) }));
      const [one, two] = await Promise.all([bytesOf(open()), bytesOf(open())]);
      assert.ok(one.equals(rest));
      assert.ok(two.equals(rest));
    });
  });

  test('a socket without an intake, as TLS inside of a tunnel has none, is told as well', async () => {
    await serve(async (port) => {
      assert.ok((await bytesOf(connect({ host: '127.0.0.1', port }))).equals(rest));
    });
  });

  test('a socket that is paused brings nothing, and goes on where it was', async () => {
    await serve(async (port) => {
      const socket = openWithSharedBuffer((onread) => connect({ host: '127.0.0.1', port, ...(onread && { onread }) }));
      await once(socket, 'readable');
      let paused = false;
      const pieces: Buffer[] = [];
      readBytes(socket, (bytes) => {
        assert.equal(paused, false);
        pieces.push(Buffer.from(bytes));
        paused = true;
        socket.pause();
        setImmediate(() => {
          paused = false;
          socket.resume();
        });
      });
      socket.write('go on');
      await once(socket, 'end');
      assert.ok(Buffer.concat(pieces).subarray(greeting.length).equals(rest));
    });
  });
});
