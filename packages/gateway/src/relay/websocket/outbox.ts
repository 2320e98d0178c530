import type { WebSocket } from 'ws';

/** What goes to a client: never much more of it than the client takes, and a sign of life where there is nothing. */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #highWaterBytes: number;
  readonly #pings: NodeJS.Timeout;
  #waiting: (() => void)[] = [];
  /** The client was asked, and has not answered. */
  #isAsked = false;
  /** The client answers pings. */
  #hasAnswered = false;

  constructor(socket: WebSocket, highWaterBytes: number, pingMs: number) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
    this.#pings = setInterval(() => this.#ping(), pingMs);
    socket.on('pong', () => {
      this.#isAsked = false;
      this.#hasAnswered = true;
    });
    socket.on('message', () => (this.#isAsked = false));
  }

  /** More may be sent. */
  get isRoomy(): boolean {
    return this.#socket.bufferedAmount < this.#highWaterBytes;
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.isRoomy) return this.#socket.send(text, ignored);
    this.#socket.send(text, () => this.#release());
  }

  /** Resolves when more may be sent, and when the client has gone. */
  room(): Promise<void> {
    if (this.isRoomy || this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // Called once all before it was taken.
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

  /** A client that takes what it is sent lives; one that has answered before, and does not any more, is gone. */
  #ping(): void {
    if (this.#isAsked && this.#hasAnswered && this.#socket.bufferedAmount === 0 && !this.#socket.isPaused)
      return this.#socket.terminate();
    this.#isAsked = true;
    this.#socket.ping('', undefined, ignored);
  }
}

function ignored(): void {
  // What fails here, the socket tells as its end.
}
