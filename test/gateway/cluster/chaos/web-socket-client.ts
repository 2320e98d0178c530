import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Answered, Outcome } from './http-client.js';

/** A balancer sees a WebSocket once. It is dialled anew after so many turns, so that conversations go from node to node. */
const turnsOfSocket = 5;

const answerMs = 10_000;

/** The WebSocket of one conversation: what came over it that nobody has asked for is counted. */
export class WebSocketClient {
  readonly #key: string;
  #socket: WebSocket | undefined;
  #turns = 0;
  #pending: ((answer: Outcome) => void) | undefined;
  /** Ends of responses beyond one for each turn. */
  unasked = 0;

  constructor(key: string) {
    this.#key = key;
  }

  /** @param base of the gateway that the balancer chooses, if it is asked */
  async ask(base: () => string, body: object): Promise<Outcome> {
    if (this.#turns >= turnsOfSocket) this.close();
    const socket = await this.#open(base);
    if (socket === undefined) return 'failed';
    this.#turns += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answered('failed'), answerMs);
      this.#pending = (answer) => {
        clearTimeout(timer);
        if (answer === 'failed') this.close();
        resolve(answer);
      };
      socket.send(JSON.stringify({ type: 'response.create', ...body }));
    });
  }

  close(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  async #open(base: () => string): Promise<WebSocket | undefined> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    const socket = new WebSocket(`${base().replace(/^http/, 'ws')}/responses`, {
      headers: { authorization: this.#key },
      handshakeTimeout: answerMs,
    });
    this.#socket = socket;
    this.#turns = 0;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#answered('failed');
    });
    socket.on('message', (raw: Buffer) => {
      if (this.#socket === socket) this.#read(raw.toString());
    });
    try {
      await once(socket, 'open');
      return socket;
    } catch {
      return undefined;
    }
  }

  #read(text: string): void {
    const event = JSON.parse(text) as { type: string; error?: { code?: string }; response?: Answered };
    if (event.type === 'response.completed' && event.response !== undefined) {
      if (this.#pending === undefined) this.unasked += 1;
      this.#answered(event.response);
    } else if (event.type === 'error')
      this.#answered(event.error?.code === 'previous_response_not_found' ? 'not_found' : 'failed');
  }

  #answered(answer: Outcome): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(answer);
  }
}
