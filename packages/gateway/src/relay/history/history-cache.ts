import type { Json } from '@turnwire/client/relay';

/** The items that a response has added to the context of the response it continues. */
interface HistoryNode {
  readonly id: string;
  readonly parent: HistoryNode | undefined;
  /** The items as the JSON of an array. */
  readonly text: string;
  readonly bytes: number;
  /** True for a response that the upstream stores: any connection can continue it. */
  readonly stored: boolean;
}

/** The responses of one principal, in the order of their last use. A response comes before those that it continues. */
interface PrincipalHistories {
  readonly nodes: Map<string, HistoryNode>;
  bytes: number;
}

export interface HistoryCacheOptions {
  /** The budget of all principals together. 0 keeps nothing. */
  maxBytes: number;
  principalBytes: number;
}

export interface CachedHistory {
  readonly stored: boolean;
  /** The items of the whole context at the end of the response. */
  items(): Json[];
}

/** The estimated memory for a response besides its text. */
const nodeOverheadBytes = 300;

/**
 * The contexts of responses. A response that the upstream has lost can be continued with them, by sending its context in full. They are kept in memory alone,
 * within two budgets; those used least recently are removed first.
 */
export class HistoryCache {
  #options: HistoryCacheOptions;
  readonly #stores = new Map<string, PrincipalHistories>();
  #bytes = 0;

  constructor(options: HistoryCacheOptions) {
    this.#options = options;
  }

  /** Sets other budgets. */
  setBudgets(options: HistoryCacheOptions): void {
    this.#options = options;
    for (const [principal, store] of this.#stores)
      while (store.bytes > options.principalBytes) this.#evict(principal, store);
    while (this.#bytes > options.maxBytes) this.#evictLargest();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True where nothing is kept. */
  get off(): boolean {
    return this.#options.maxBytes === 0;
  }

  /** The size of the largest response that is kept, in bytes. */
  get largest(): number {
    return Math.min(this.#options.principalBytes, this.#options.maxBytes);
  }

  find(principal: string, id: string): CachedHistory | undefined {
    const store = this.#stores.get(principal);
    const node = store?.nodes.get(id);
    if (store === undefined || node === undefined) return undefined;
    touch(store, node);
    return { stored: node.stored, items: () => itemsOf(node) };
  }

  /**
   * Keeps the context of a response.
   *
   * @param parent the response that `items` follow; undefined where they are the whole context. Nothing is kept where the items of the parent are not.
   */
  keep(
    principal: string,
    response: { id: string; parent: string | undefined; items: readonly Json[]; stored: boolean },
  ): void {
    if (this.off) return;
    const store = this.#stores.get(principal) ?? { nodes: new Map<string, HistoryNode>(), bytes: 0 };
    const parent = response.parent === undefined ? undefined : store.nodes.get(response.parent);
    if (response.parent !== undefined && parent === undefined) return;
    const text = JSON.stringify(response.items);
    const bytes = nodeOverheadBytes + text.length * (isLatin1(text) ? 1 : 2);
    if (bytes > this.largest) return;
    this.#stores.set(principal, store);
    this.#remove(store, store.nodes.get(response.id));
    const node: HistoryNode = { id: response.id, parent, text, bytes, stored: response.stored };
    store.nodes.set(node.id, node);
    store.bytes += bytes;
    this.#bytes += bytes;
    touch(store, node);
    while (store.bytes > this.#options.principalBytes) this.#evict(principal, store);
    while (this.#bytes > this.#options.maxBytes) this.#evictLargest();
  }

  clear(): void {
    this.#stores.clear();
    this.#bytes = 0;
  }

  #evictLargest(): void {
    let largest: [string, PrincipalHistories] | undefined;
    for (const entry of this.#stores) if (largest === undefined || entry[1].bytes > largest[1].bytes) largest = entry;
    if (largest === undefined) return;
    this.#evict(...largest);
  }

  #evict(principal: string, store: PrincipalHistories): void {
    const [oldest] = store.nodes.values();
    this.#remove(store, oldest);
    if (store.nodes.size === 0) this.#stores.delete(principal);
  }

  #remove(store: PrincipalHistories, node: HistoryNode | undefined): void {
    if (node === undefined || !store.nodes.delete(node.id)) return;
    store.bytes -= node.bytes;
    this.#bytes -= node.bytes;
  }
}

/** Marks a response and all that it continues as used, the oldest last: so a response is always removed before those that it continues. */
function touch(store: PrincipalHistories, node: HistoryNode): void {
  for (let one: HistoryNode | undefined = node; one !== undefined; one = one.parent) {
    if (store.nodes.get(one.id) !== one) return;
    store.nodes.delete(one.id);
    store.nodes.set(one.id, one);
  }
}

function itemsOf(node: HistoryNode): Json[] {
  const path: HistoryNode[] = [];
  for (let next: HistoryNode | undefined = node; next !== undefined; next = next.parent) path.push(next);
  return path.toReversed().flatMap(({ text }) => JSON.parse(text) as Json[]);
}

function isLatin1(text: string): boolean {
  return !/[\u0100-\uFFFF]/.test(text);
}
