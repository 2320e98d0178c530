import { EvictionQueue } from '../base/eviction-queue.js';
import type { Context } from './context.js';
import type { Tenant } from '../base/tenant.js';
import type { Transcript } from '../wire/transcript.js';
import type { Frame, Item, ResponseObject } from '../wire/wire.js';

export interface MemoryLimits {
  readonly storedResponses: number;
  readonly storedBytes: number;
}

/** A finished response that a later turn may continue. It holds its own turn only; the context before it is its parent's. */
export interface RememberedResponse {
  readonly response: ResponseObject;
  readonly parent: RememberedResponse | undefined;
  /** The new input of the turn, then its output. */
  readonly items: Transcript;
  /** What the model saw of a conversation before this turn; a conversation goes on without its responses. */
  readonly before?: Context | undefined;
  /** What a turn that continues it begins with. */
  readonly context: Context;
  /** Of its input, its response, and of a context that it does not hold by its parent. */
  readonly bytes: number;
  /** Known from everywhere (`store: true`), or only where it was made. */
  readonly stored: boolean;
  /** Who may find it in the store. */
  readonly tenant: Tenant;
  /** Its events once more; undefined where they cannot be made again. */
  readonly events?: (() => Iterator<Frame>) | undefined;
  /** Lanes, running turns and remembered continuations that need it. What is not stored goes with the last of them. */
  holders: number;
  /** It or something it continues was dropped: it can no longer be continued. */
  broken: boolean;
  /** Those that continue it, once there is one. */
  continuations: Set<RememberedResponse> | undefined;
}

/** A turn to remember. */
export type ResponseToRemember = Omit<RememberedResponse, 'broken' | 'continuations' | 'holders'>;

/**
 * What the server remembers of finished turns (P70–P73): stored responses for everyone, the others for the connection
 * that holds on to them. One budget of count and bytes for both; over it, the oldest go first.
 */
export class Memory {
  readonly #limits: MemoryLimits;
  readonly #all = new Set<RememberedResponse>();
  readonly #oldest = new EvictionQueue(this.#all);
  readonly #byId = new Map<string, RememberedResponse>();
  readonly #items = new Map<string, { readonly item: Item; readonly owner: RememberedResponse }>();
  #bytes = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  remember(turn: ResponseToRemember): RememberedResponse {
    const { parent, bytes } = turn;
    const broken = parent?.broken ?? false;
    const remembered: RememberedResponse = { ...turn, holders: 0, broken, continuations: undefined };
    if (parent !== undefined) {
      this.hold(parent);
      (parent.continuations ??= new Set()).add(remembered);
    }
    this.#all.add(remembered);
    this.#bytes += bytes;
    if (turn.stored) {
      this.#byId.set(turn.response.id, remembered);
      for (const item of turn.items) {
        if (typeof item['id'] === 'string') this.#items.set(item['id'], { item, owner: remembered });
      }
    }
    this.#makeRoom(remembered);
    return remembered;
  }

  /** A stored response of this tenant; undefined if there never was one, or it had to make room. */
  stored(id: string, tenant: Tenant): RememberedResponse | undefined {
    const found = this.#byId.get(id);
    return found?.tenant === tenant ? found : undefined;
  }

  /** A stored response can no longer be found by its id. What has continued it already, or can from a socket, still does. */
  unstore(id: string, tenant: Tenant): boolean {
    const turn = this.stored(id, tenant);
    if (turn === undefined) return false;
    this.#unlist(turn);
    return true;
  }

  /** An item of a stored response, as an `item_reference` names it. */
  item(id: string, tenant: Tenant): Item | undefined {
    const found = this.#items.get(id);
    return found?.owner.tenant === tenant ? found.item : undefined;
  }

  /** All items up to and with this response, compacted or not; undefined when a part of them had to make room. */
  transcript(last: RememberedResponse): Item[] | undefined {
    if (last.broken) return undefined;
    const turns: Transcript[] = [];
    for (let at: RememberedResponse | undefined = last; at !== undefined; at = at.parent) {
      turns.push(at.items);
      if (at.before !== undefined) turns.push(at.before.items());
    }
    return turns.toReversed().flat();
  }

  /** Someone may continue this response: it stays until `release`, or until it has to make room. */
  hold(turn: RememberedResponse): void {
    turn.holders += 1;
  }

  /**
   * One holder lets go. What is not stored and has no other holder is forgotten, and lets go of what it continued: a
   * fork keeps its trunk alive, and a chain dies back to the first response that is stored or continued elsewhere.
   */
  release(held: RememberedResponse | undefined): void {
    for (let at = held; at !== undefined; at = at.parent) {
      at.holders -= 1;
      if (at.holders > 0 || at.stored || !this.#drop(at)) return;
    }
  }

  /** Forgets one response, stored or not; what continues it can no longer be continued either. */
  forget(turn: RememberedResponse): void {
    if (this.#drop(turn)) this.release(turn.parent);
  }

  /** Forgets a response and all it continues, stored or not. */
  forgetChain(last: RememberedResponse): void {
    for (let at: RememberedResponse | undefined = last; at !== undefined; at = at.parent) this.#drop(at);
  }

  /** What is held now. */
  size(): { readonly responses: number; readonly bytes: number } {
    return { responses: this.#all.size, bytes: this.#bytes };
  }

  #makeRoom(newest: RememberedResponse): void {
    while (this.#all.size > this.#limits.storedResponses || this.#bytes > this.#limits.storedBytes) {
      const oldest = this.#oldest.next();
      if (oldest === undefined || this.#all.size === 1) return;
      if (oldest !== newest) this.forget(oldest);
    }
  }

  /** False if it had been dropped before. */
  #drop(turn: RememberedResponse): boolean {
    if (!this.#all.delete(turn)) return false;
    turn.parent?.continuations?.delete(turn);
    turn.context.releaseKeys(turn.parent?.context);
    markBroken(turn);
    this.#bytes -= turn.bytes;
    this.#unlist(turn);
    return true;
  }

  #unlist(turn: RememberedResponse): void {
    if (this.#byId.get(turn.response.id) === turn) this.#byId.delete(turn.response.id);
    for (const { id } of turn.items) {
      if (typeof id === 'string' && this.#items.get(id)?.owner === turn) this.#items.delete(id);
    }
  }
}

/** Each response breaks once, so this takes no longer in all than there are responses. */
function markBroken(turn: RememberedResponse): void {
  const breaking = [turn];
  for (let next = breaking.pop(); next !== undefined; next = breaking.pop()) {
    if (next.broken) continue;
    next.broken = true;
    if (next.continuations !== undefined) breaking.push(...next.continuations);
  }
}
