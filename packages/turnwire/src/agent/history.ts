import type { InputItem, Response } from '@turnwire/client';

/**
 * The items of one conversation, verbatim and in order. All of them are handed over with every turn: what of it the server holds already,
 * the client finds by itself (docs/continuation.md).
 */
export class History {
  readonly #items: InputItem[];

  constructor(items: readonly InputItem[] = []) {
    this.#items = [...items];
  }

  get items(): readonly InputItem[] {
    return this.#items;
  }

  /** What the model does not know yet: a prompt, the outputs of tools. */
  add(...items: InputItem[]): void {
    this.#items.push(...items);
  }

  /** A response that ended well enough to be continued: its items go back as they came, those of unknown types too. */
  commit(response: Response): void {
    this.#items.push(...response.output);
  }
}
