import type { InputItem } from '@turnwire/client';
import type { ItemOrigin } from '../turn/item-origin.js';
import { sendable } from './sendable-item.js';

/** Where the history of a session is kept. Each entry is there to stay when `append` returns. */
export interface HistoryKeeper {
  append(entry: HistoryEntry): void;
}

export type HistoryEntry =
  /** These were added; a model has made them, or, without `maker`, nobody has. */
  | { kind: 'items'; items: readonly InputItem[]; maker?: ItemOrigin | undefined }
  /** A call that may change something is about to run: without an answer to it, it may have had effects. */
  | { kind: 'begun'; call_id: string }
  /** Another agent has taken the conversation over. */
  | { kind: 'agent'; agent: string }
  /** The history was compacted: these are now all of it, and, in the same order, who has made them. */
  | { kind: 'compacted'; items: readonly InputItem[]; makers?: readonly (ItemOrigin | null)[] | undefined }
  | { kind: 'title'; title: string };

/**
 * The items of one conversation in their order, verbatim but for what a strict server would refuse. All of them are handed over with every turn: what of it the server holds already,
 * the client finds by itself (docs/continuation.md).
 */
export class History {
  #items: InputItem[];
  readonly #makers: Map<InputItem, ItemOrigin>;
  readonly #keeper: HistoryKeeper | undefined;

  constructor({ items = [], makers, keeper }: HistoryOptions = {}) {
    this.#items = items.map(sendable);
    this.#makers = new Map(
      items.flatMap((item, index) => {
        const maker = makers?.get(item);
        return maker === undefined ? [] : [[this.#items[index] ?? item, maker] as const];
      }),
    );
    this.#keeper = keeper;
  }

  get items(): readonly InputItem[] {
    return this.#items;
  }

  /** The model that has made an item of it; undefined: none has, or it is not known. */
  originOf(item: InputItem): ItemOrigin | undefined {
    return this.#makers.get(item);
  }

  /** What the model does not know yet: a prompt, the outputs of tools. */
  add(...added: InputItem[]): void {
    const items = added.map(sendable);
    this.#keeper?.append({ kind: 'items', items });
    this.#items.push(...items);
  }

  /** What a turn adds that ended well enough to be continued: its items go back as they came, those of unknown types too. */
  commit(added: readonly InputItem[], maker: ItemOrigin): void {
    if (added.length === 0) return;
    const items = added.map(sendable);
    this.#keeper?.append({ kind: 'items', items, maker });
    this.#items.push(...items);
    for (const item of items) this.#makers.set(item, maker);
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
  compact(shorter: readonly InputItem[]): void {
    const items = shorter.map(sendable);
    const makers = items.map((item) => this.#makers.get(item) ?? null);
    this.#keeper?.append({ kind: 'compacted', items, makers });
    this.#items = [...items];
    const kept = new Set(items);
    for (const item of this.#makers.keys()) if (!kept.has(item)) this.#makers.delete(item);
  }
}

export interface HistoryOptions {
  /** @default none */
  items?: readonly InputItem[] | undefined;
  /** Who has made them, as far as it is known. @default not known */
  makers?: ReadonlyMap<InputItem, ItemOrigin> | undefined;
  /** @default nobody */
  keeper?: HistoryKeeper | undefined;
}
