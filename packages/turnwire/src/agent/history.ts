import type { InputItem } from '@turnwire/client';

/** Where the history of a session is kept. Each entry is there to stay when `append` returns. */
export interface HistoryKeeper {
  append(entry: HistoryEntry): void;
}

export type HistoryEntry =
  /** These were added. */
  | { kind: 'items'; items: readonly InputItem[] }
  /** A call that may change something is about to run: without an answer to it, it may have had effects. */
  | { kind: 'begun'; call_id: string }
  /** Another agent has taken the conversation over. */
  | { kind: 'agent'; agent: string }
  /** The history was compacted: these are now all of it. */
  | { kind: 'compacted'; items: readonly InputItem[] };

/**
 * The items of one conversation, verbatim and in order. All of them are handed over with every turn: what of it the server holds already,
 * the client finds by itself (docs/continuation.md).
 */
export class History {
  #items: InputItem[];
  readonly #keeper: HistoryKeeper | undefined;

  constructor(items: readonly InputItem[] = [], keeper?: HistoryKeeper) {
    this.#items = [...items];
    this.#keeper = keeper;
  }

  get items(): readonly InputItem[] {
    return this.#items;
  }

  /** What the model does not know yet: a prompt, the outputs of tools. */
  add(...items: InputItem[]): void {
    this.#keeper?.append({ kind: 'items', items });
    this.#items.push(...items);
  }

  /** What a turn adds that ended well enough to be continued: its items go back as they came, those of unknown types too. */
  commit(added: readonly InputItem[]): void {
    if (added.length > 0) this.add(...added);
  }

  /** Before a call runs that may change something. */
  begin(callId: string): void {
    this.#keeper?.append({ kind: 'begun', call_id: callId });
  }

  /** Another agent goes on with it. */
  handOff(agent: string): void {
    this.#keeper?.append({ kind: 'agent', agent });
  }

  /** Puts a shorter history in place of this one. */
  compact(items: readonly InputItem[]): void {
    this.#keeper?.append({ kind: 'compacted', items });
    this.#items = [...items];
  }
}
