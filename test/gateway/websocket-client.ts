import { WebSocket } from 'ws';
import type { IncomingMessage } from 'node:http';

export type Event = Record<string, unknown> & { type: string };

/** A WebSocket of somebody else's making: what it was sent, in order. */
export class TestSocket {
  readonly events: Event[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  #seen = 0;
  #wake = (): void => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (raw: Buffer) => {
      this.events.push(JSON.parse(raw.toString()) as Event);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on('error', () => {});
  }

  static open(
    url: string,
    headers: Record<string, string> = { authorization: 'Bearer sk-of-a-test' },
  ): Promise<TestSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/responses`, { headers, perMessageDeflate: false });
    const client = new TestSocket(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client));
      socket.once('unexpected-response', (_, response) => reject(new RefusedUpgrade(response)));
      socket.once('error', reject);
    });
  }

  send(event: object | string): void {
    this.socket.send(typeof event === 'string' ? event : JSON.stringify(event));
  }

  create(body: object): void {
    this.send({ type: 'response.create', model: 'any', input: 'One two three.', ...body });
  }

  /** The next event, of those that are wanted; those before it are passed over. */
  async next(wanted: (event: Event) => boolean = () => true): Promise<Event> {
    for (;;) {
      for (; this.#seen < this.events.length; this.#seen += 1) {
        const event = this.events[this.#seen];
        if (event === undefined || !wanted(event)) continue;
        this.#seen += 1;
        return event;
      }
      if (this.closed !== undefined) throw new Error(`closed ${this.closed.code} ${this.closed.reason}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The end of the next turn: its last event. */
  end(): Promise<Event> {
    return this.next(({ type }) => /^(error|response\.(completed|failed|incomplete))$/.test(type));
  }

  async gone(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.closed;
  }
}

export class RefusedUpgrade extends Error {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Promise<string>;

  constructor(response: IncomingMessage) {
    super(`refused with ${response.statusCode}`);
    this.status = response.statusCode;
    this.headers = response.headers;
    this.body = new Promise((resolve) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(text));
    });
  }
}

/** The id of the response that an event brings. */
export function idOf(event: Event): string {
  return (event['response'] as { id: string }).id;
}

export function codeOf(event: Event): unknown {
  return (event['error'] as { code?: unknown } | undefined)?.code ?? event['code'];
}
