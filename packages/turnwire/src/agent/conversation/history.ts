import type { InputItem } from '@turnwire/client';
import type { ItemOrigin } from '../turn/item-origin.js';
import { sendable } from './sendable-item.js';

/** Stores the history of a session. An entry is stored for good when `append` returns. */
export interface HistoryKeeper {
  append(entry: HistoryEntry): void;
}

export type HistoryEntry =
  /** Items were added. `maker` is the model that has made them; items of the user and of tools have none. */
  | { kind: 'items'; items: readonly InputItem[]; maker?: ItemOrigin | undefined }
  /** A call that may change something is about to run: without an answer later, it may have had effects. */
  | { kind: 'begun'; call_id: string }
  /** Another agent has taken the conversation over. */
  | { kind: 'agent'; agent: string }
  /** The history was compacted: these are all its items now, with their makers in the same order. */
  | { kind: 'compacted'; items: readonly InputItem[]; makers?: readonly (ItemOrigin | null)[] | undefined }
  | { kind: 'title'; title: string };

/**
 * The items of one conversation in their order, unchanged except where a strict server would refuse them. Every turn is given all of them: the client finds
 * out which of them the server has already (docs/continuation.md).
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

  /** The model that has made an item; undefined: none, or unknown. */
  originOf(item: InputItem): ItemOrigin | undefined {
    return this.#makers.get(item);
  }

  /** Adds items that the model does not know yet: a prompt, or outputs of tools. */
  add(...added: InputItem[]): void {
    const items = added.map(sendable);
    this.#keeper?.append({ kind: 'items', items });
    this.#items.push(...items);
  }

  /** Adds the items of a turn whose response can be continued. They are kept as they came, also those of unknown types. */
  commit(added: readonly InputItem[], maker: ItemOrigin): void {
    if (added.length === 0) return;
    const items = added.map(sendable);
    this.#keeper?.append({ kind: 'items', items, maker });
    this.#items.push(...items);
    for (const item of items) this.#makers.set(item, maker);
  }

  /** Notes that a call which may change something is about to run. */
  begin(callId: string): void {
    this.#keeper?.append({ kind: 'begun', call_id: callId });
  }

  /** Notes that another agent goes on. */
  handOff(agent: string): void {
    this.#keeper?.append({ kind: 'agent', agent });
  }

  /** Replaces the history by a shorter one. */
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
  /** The models that have made the items, as far as they are known. @default unknown */
  makers?: ReadonlyMap<InputItem, ItemOrigin> | undefined;
  /** @default nobody */
  keeper?: HistoryKeeper | undefined;
}
