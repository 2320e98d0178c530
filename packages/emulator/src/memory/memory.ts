import { EvictionQueue } from '../base/eviction-queue.js';
import type { Context } from './context.js';
import type { Tenant } from '../base/tenant.js';
import type { Transcript } from '../wire/transcript.js';
import type { Frame, Item, ResponseObject } from '../wire/wire.js';

export interface MemoryLimits {
  readonly storedResponses: number;
  readonly storedBytes: number;
}

/** A finished response that a later turn may continue. It has the items of its own turn; earlier items belong to its parent. */
export interface RememberedResponse {
  readonly response: ResponseObject;
  readonly parent: RememberedResponse | undefined;
  /** The new input of the turn, followed by its output. */
  readonly items: Transcript;
  /** The context of the conversation before this turn; undefined outside of a conversation, whose responses have no parent. */
  readonly before?: Context | undefined;
  /** The context with which a turn that continues the response begins. */
  readonly context: Context;
  /** The size of its input, its response, and the conversation before it. */
  readonly bytes: number;
  /** Whether every connection finds the response (`store: true`), or only the one that made it. */
  readonly stored: boolean;
  /** The tenant that may find the response in the store. */
  readonly tenant: Tenant;
  /** Makes its events again; undefined if that is not possible. */
  readonly events?: (() => Iterator<Frame>) | undefined;
  /** A reference count: lanes, running turns and remembered continuations. A response that is not stored is dropped at 0. */
  holders: number;
  /** True if the response, or one that it continues, was dropped. It can no longer be continued then. */
  broken: boolean;
  /** The responses that continue this one; undefined while there are none. */
  continuations: Set<RememberedResponse> | undefined;
}

/** What a turn hands over to be remembered. */
export type ResponseToRemember = Omit<RememberedResponse, 'broken' | 'continuations' | 'holders'>;

/**
 * The finished responses that the server remembers (P70–P73): stored responses, and responses that a connection holds. The number and the
 * bytes of both together are limited; the oldest are dropped first.
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

  /** The stored response of the tenant with this id; undefined if there is none, or if it was evicted. */
  stored(id: string, tenant: Tenant): RememberedResponse | undefined {
    const found = this.#byId.get(id);
    return found?.tenant === tenant ? found : undefined;
  }

  /** Removes a response from the store. Turns that continued it already, and the connection that holds it, can still continue. */
  unstore(id: string, tenant: Tenant): boolean {
    const turn = this.stored(id, tenant);
    if (turn === undefined) return false;
    this.#unlist(turn);
    return true;
  }

  /** The item of a stored response that an `item_reference` names; undefined if there is none. */
  item(id: string, tenant: Tenant): Item | undefined {
    const found = this.#items.get(id);
    return found?.owner.tenant === tenant ? found.item : undefined;
  }

  /** All items up to and including this response, compacted ones too; undefined if a part of them was evicted. */
  transcript(last: RememberedResponse): Item[] | undefined {
    if (last.broken) return undefined;
    const turns: Transcript[] = [];
    for (let at: RememberedResponse | undefined = last; at !== undefined; at = at.parent) {
      turns.push(at.items);
      if (at.before !== undefined) turns.push(at.before.items());
    }
    return turns.toReversed().flat();
  }

  /** Keeps a response that may be continued, until `release`. The limits may still evict it. */
  hold(turn: RememberedResponse): void {
    turn.holders += 1;
  }

  /**
   * Ends one `hold`. A response that is not stored and has no other holder is dropped, and releases its parent. So a chain is dropped back to
   * the first response that is stored or has another continuation.
   */
  release(held: RememberedResponse | undefined): void {
    for (let at = held; at !== undefined; at = at.parent) {
      at.holders -= 1;
      if (at.holders > 0 || at.stored || !this.#drop(at)) return;
    }
  }

  /** Drops one response, stored or not. Responses that continue it can no longer be continued either. */
  forget(turn: RememberedResponse): void {
    if (this.#drop(turn)) this.release(turn.parent);
  }

  /** Drops a response and all that it continues, stored or not. */
  forgetChain(last: RememberedResponse): void {
    for (let at: RememberedResponse | undefined = last; at !== undefined; at = at.parent) this.#drop(at);
  }

  /** The number and the bytes of all remembered responses. */
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

  /** Returns false if the response was dropped before. */
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

/** Marks a response and all that continue it as broken. Each response breaks once, so all calls together take linear time. */
function markBroken(turn: RememberedResponse): void {
  const breaking = [turn];
  for (let next = breaking.pop(); next !== undefined; next = breaking.pop()) {
    if (next.broken) continue;
    next.broken = true;
    if (next.continuations !== undefined) breaking.push(...next.continuations);
  }
}
