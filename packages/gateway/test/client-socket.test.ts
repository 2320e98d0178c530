import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { RelayBodies } from '@turnwire/client/relay';
import { ClientSocket } from '../dist/relay/websocket/socket.js';
import type { TestContext } from 'node:test';
import type { WebSocket } from 'ws';
import type { ClientSocketOptions } from '../dist/relay/websocket/socket.js';

/** A WebSocket whose other end takes what it is sent only when the test says so. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  isTerminated = false;
  readonly sent: string[] = [];
  #written: (() => void)[] = [];

  send(text: string, written: () => void): void {
    this.sent.push(text);
    this.#hold(text.length, written);
  }

  ping(_data: string, _mask: undefined, written: () => void): void {
    this.#hold(0, written);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  terminate(): void {
    this.isTerminated = true;
    this.emit('close');
  }

  /** The other end takes everything. */
  take(): void {
    this.bufferedAmount = 0;
    for (const written of this.#written.splice(0)) written();
  }

  #hold(bytes: number, written: () => void): void {
    this.bufferedAmount += bytes;
    this.#written.push(written);
  }
}

function connect(t: TestContext, receivedBytes: () => number = () => 0): FakeSocket {
  const socket = new FakeSocket();
  const bodies = new RelayBodies(1000);
  t.after(() => {
    socket.terminate();
    bodies.close();
  });
  const client = new ClientSocket(
    socket as unknown as WebSocket,
    {
      bodies,
      limits: { unsent_bytes: 1000, frame_bytes: 1000, queued_frames: 10, lanes: 1 },
      keepaliveMs: 1000,
      receivedBytes,
    } as unknown as ClientSocketOptions,
  );
  assert(client.isIdle);
  return socket;
}

describe('gateway: a WebSocket whose client does not read', () => {
  for (const message of ['no message', '{"type":"response.steer"}', '{"type":"response.inject"}']) {
    test(`is read no more while answers to ${message} wait`, async (t) => {
      const socket = connect(t);
      for (let sent = 0; !socket.isPaused; sent += 1) {
        assert(sent < 100, 'the socket is still read');
        socket.emit('message', Buffer.from(message), false);
      }
      assert(socket.bufferedAmount >= 1000);
      socket.take();
      await Promise.resolve();
      await Promise.resolve();
      assert.equal(socket.isPaused, false);
    });
  }
});

describe('gateway: pings of a WebSocket', () => {
  test('end a client that has answered before and is silent now, and none that is in the middle of a message', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let bytes = 0;
    const socket = connect(t, () => bytes);
    const pass = (): void => {
      t.mock.timers.tick(1000);
      socket.take();
    };
    pass();
    bytes += 6;
    socket.emit('pong');
    for (let piece = 0; piece < 5; piece += 1) {
      bytes += 100;
      pass();
      assert.equal(socket.isTerminated, false);
    }
    pass();
    assert.equal(socket.isTerminated, true);
  });
});
