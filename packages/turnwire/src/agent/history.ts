import type { InputItem, Response } from '@turnwire/client';

/**
 * How a turn tells the model what went before.
 *
 * - `full`: all items, each time. Any server understands it.
 * - `response_id`: the id of the last response, and only what is new since then.
 * - `websocket`: as `response_id` after a response that came over a WebSocket, whose servers know ids; else as `full`, because a server
 *   that speaks SSE alone may ignore the id, and answer without what went before.
 */
export type Chaining = 'full' | 'response_id' | 'websocket';

/** What a turn sends of the conversation. Never all items together with an id: the model would read them twice (W1). */
export interface NextInput {
  input: InputItem[];
  previous_response_id?: string;
}

/** The items of one conversation, verbatim and in order, and how much of them the server is known to hold. */
export class History {
  readonly #items: InputItem[];
  #last: { id: string; known: number; transport: 'websocket' | 'sse' } | undefined;

  constructor(items: readonly InputItem[] = []) {
    this.#items = [...items];
  }

  get items(): readonly InputItem[] {
    return this.#items;
  }

  /** What the server does not know yet: a prompt, the outputs of tools. */
  add(...items: InputItem[]): void {
    this.#items.push(...items);
  }

  /** A response that ended well enough to be continued: its items go back as they came, those of unknown types too. */
  commit(response: Response, transport: 'websocket' | 'sse'): void {
    this.#items.push(...response.output);
    this.#last = { id: response.id, known: this.#items.length, transport };
  }

  /** After any failure the server may have dropped the last response (P72, P73): what comes next is sent in full. */
  forget(): void {
    this.#last = undefined;
  }

  next(chaining: Chaining): NextInput {
    const continuable =
      chaining === 'response_id' || (chaining === 'websocket' && this.#last?.transport === 'websocket');
    if (this.#last === undefined || !continuable) return { input: [...this.#items] };
    return { input: this.#items.slice(this.#last.known), previous_response_id: this.#last.id };
  }
}
