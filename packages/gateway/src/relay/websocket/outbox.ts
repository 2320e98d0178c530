import type { WebSocket } from 'ws';

export interface OutboxOptions {
  /** The bytes that the client has not taken, from which on its turns wait. */
  highWaterBytes: number;
  pingMs: number;
  /** The bytes that have come from the client so far. */
  receivedBytes: () => number;
}

/** A ping that comes later than its interval times this factor was held up by this process. */
const lateFactor = 1.2;

/** Sends frames to a client, no faster than the client takes them, and pings it while there are none. */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #highWaterBytes: number;
  readonly #pingMs: number;
  readonly #receivedBytes: () => number;
  readonly #pings: NodeJS.Timeout;
  /** The bytes that had come by the last ping. */
  #seenBytes = 0;
  #lastPingAt = performance.now();
  #waiting: (() => void)[] = [];
  /** A ping was sent and not answered yet. */
  #isAsked = false;
  /** The client has answered a ping before. */
  #hasAnswered = false;

  constructor(socket: WebSocket, { highWaterBytes, pingMs, receivedBytes }: OutboxOptions) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
    this.#receivedBytes = receivedBytes;
    this.#pingMs = pingMs;
    this.#pings = setInterval(() => this.#ping(), pingMs);
    socket.on('pong', () => (this.#hasAnswered = true));
  }

  /** True while more may be sent. */
  get isRoomy(): boolean {
    return this.#socket.bufferedAmount < this.#highWaterBytes;
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.isRoomy) return this.#socket.send(text, ignored);
    this.#socket.send(text, () => this.#release());
  }

  /** Resolves when more may be sent, or when the client has left. */
  room(): Promise<void> {
    if (this.isRoomy || this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // The callback runs once the socket has taken all earlier frames.
      this.#socket.ping('', undefined, () => this.#release());
    });
  }

  stop(): void {
    clearInterval(this.#pings);
    this.#release(true);
  }

  #release(always = false): void {
    if (!always && !this.isRoomy) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /**
   * Closes a client that answered pings before and sends nothing any more. Any byte is a sign of life: a client in the middle of a long message cannot answer
   * before its end. A client that takes frames is alive and is not asked.
   */
  #ping(): void {
    const bytes = this.#receivedBytes();
    const now = performance.now();
    // Where this process was held up itself, the answer may have come and not been read.
    const isLate = now - this.#lastPingAt > lateFactor * this.#pingMs;
    if (bytes !== this.#seenBytes || isLate) this.#isAsked = false;
    this.#seenBytes = bytes;
    this.#lastPingAt = now;
    if (this.#isAsked && this.#hasAnswered && this.#socket.bufferedAmount === 0 && !this.#socket.isPaused)
      return this.#socket.terminate();
    this.#isAsked = true;
    this.#socket.ping('', undefined, ignored);
  }
}

function ignored(): void {
  // The socket reports a failed ping as its end.
}
