import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface LinkOptions {
  to: number;
  /** Milliseconds, half of it each way. A connection costs one round trip before its first bytes. 0: none. */
  rttMs: number;
  /** Bytes that may be under way before the first acknowledgement; undefined: no window. */
  windowBytes?: number | undefined;
  /** Idle for this long, a window falls back to where it began (RFC 5681, 4.1), as Linux does after one retransmission timeout. */
  windowIdleMs?: number | undefined;
}

export interface Link {
  port: number;
  counts(): { connections: number; sentBytes: number; receivedBytes: number };
  close(): Promise<void>;
}

/** Linux begins with ten segments (RFC 6928) and forgets a window after a retransmission timeout of at least 200 ms. */
export const initialWindowBytes = 10 * 1448;
export const windowForgottenMs = 250;

/** A direction keeps this many bytes at most; more stay in the sender's socket. */
const maxQueuedBytes = 4 * 1024 * 1024;
const maxWindowBytes = 4 * 1024 * 1024;

/**
 * A TCP proxy that stands for a distance. Bytes arrive half a round trip after they were sent; with a window no more of them are under way
 * than it allows, it grows by what was acknowledged (slow start), and idling resets it. TLS passes through, sealed.
 *
 * Not there: loss, a limit of bandwidth, jitter.
 */
export async function startLink({ to, rttMs, windowBytes, windowIdleMs }: LinkOptions): Promise<Link> {
  const counted = { connections: 0, sentBytes: 0, receivedBytes: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    counted.connections += 1;
    const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    const window = (): Window | undefined =>
      windowBytes === undefined ? undefined : new Window(windowBytes, windowIdleMs ?? Infinity);
    const down = new Direction(upstream, client, rttMs, window(), (bytes) => (counted.receivedBytes += bytes));
    const up = new Direction(client, upstream, rttMs, window(), (bytes) => (counted.sentBytes += bytes));
    down.begin();
    later(rttMs, () => up.begin());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => ({ ...counted }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** How many bytes may be under way. */
export class Window {
  readonly #initial: number;
  readonly #idleMs: number;
  #size: number;
  #underWay = 0;
  #lastSent = -Infinity;

  constructor(initial: number, idleMs: number) {
    this.#initial = initial;
    this.#idleMs = idleMs;
    this.#size = initial;
  }

  /** Bytes that may leave now. */
  room(now: number): number {
    if (this.#underWay === 0 && now - this.#lastSent > this.#idleMs) this.#size = this.#initial;
    return this.#size - this.#underWay;
  }

  sent(bytes: number, now: number): void {
    this.#underWay += bytes;
    this.#lastSent = now;
  }

  acknowledged(bytes: number): void {
    this.#underWay -= bytes;
    this.#size = Math.min(maxWindowBytes, this.#size + bytes);
  }
}

/** One way through the proxy. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #rttMs: number;
  readonly #window: Window | undefined;
  readonly #onBytes: (bytes: number) => void;
  readonly #queue: Buffer[] = [];
  #queued = 0;
  #ended = false;

  constructor(from: Socket, to: Socket, rttMs: number, window: Window | undefined, onBytes: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#rttMs = rttMs;
    this.#window = window;
    this.#onBytes = onBytes;
  }

  begin(): void {
    this.#from.on('data', (chunk: Buffer) => {
      this.#onBytes(chunk.length);
      this.#queue.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued > maxQueuedBytes) this.#from.pause();
      this.#send();
    });
    this.#from.once('end', () => {
      this.#ended = true;
      this.#send();
    });
    this.#from.resume();
  }

  #send(): void {
    while (this.#queue.length > 0) {
      const room = this.#window?.room(performance.now()) ?? Infinity;
      if (room <= 0) return;
      const [first = Buffer.alloc(0)] = this.#queue;
      const piece = first.length <= room ? first : first.subarray(0, room);
      if (piece === first) this.#queue.shift();
      else this.#queue[0] = first.subarray(room);
      this.#leave(piece);
    }
    if (this.#ended) later(this.#rttMs / 2, () => this.#to.end());
  }

  #leave(piece: Buffer): void {
    this.#queued -= piece.length;
    if (this.#queued <= maxQueuedBytes / 2) this.#from.resume();
    later(this.#rttMs / 2, () => this.#to.destroyed || this.#to.write(piece));
    const window = this.#window;
    if (window === undefined) return;
    window.sent(piece.length, performance.now());
    later(this.#rttMs, () => {
      window.acknowledged(piece.length);
      this.#send();
    });
  }
}

/** At once where there is no delay: a timer takes a millisecond at least. */
function later(ms: number, run: () => void): void {
  if (ms === 0) run();
  else setTimeout(run, ms);
}
