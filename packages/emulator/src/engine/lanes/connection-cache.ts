import type { Eviction } from '../../wire/dialect.js';
import type { Memory, RememberedResponse } from '../../memory/memory.js';

/** The responses that one lane can continue without the store. */
export interface LaneCache {
  /** The response with this id, if it is the latest of this lane or, for a fork, of another lane of the connection (P46). */
  find(id: string): RememberedResponse | undefined;
  /** Replaces the latest response of the lane, after a turn that ended well (P70). */
  setLatest(response: RememberedResponse): void;
  /** Removes what the dialect evicts after a turn that was refused or failed (P72). `continued` is the `previous_response_id` of the turn. */
  evict(continued: unknown, how: 'refused' | 'failed'): void;
}

/** The responses that one connection keeps until it closes: the latest of each lane (P70). */
export class ConnectionCache {
  readonly #memory: Memory;
  readonly #eviction: Eviction;
  readonly #latest = new Map<object, RememberedResponse>();

  constructor(memory: Memory, eviction: Eviction) {
    this.#memory = memory;
    this.#eviction = eviction;
  }

  /** The cache of one lane. The object `lane` identifies it. */
  ofLane(lane: object): LaneCache {
    return {
      find: (id) => {
        const ownLatest = this.#latest.get(lane);
        if (ownLatest?.response.id === id) return ownLatest;
        return [...this.#latest.values()].find(({ response }) => response.id === id);
      },
      setLatest: (response) => this.#replace(lane, response),
      evict: (continued, how) => this.#evict(lane, continued, how),
    };
  }

  clear(): void {
    for (const lane of this.#latest.keys()) this.#replace(lane, undefined);
  }

  #evict(lane: object, continued: unknown, how: 'refused' | 'failed'): void {
    const latest = this.#latest.get(lane);
    if (latest === undefined) return;
    if (this.#eviction === 'chain' && how === 'failed') this.#memory.forgetChain(latest);
    if (this.#eviction === 'continued' && latest.response.id !== continued) return;
    this.#replace(lane, undefined);
  }

  #replace(lane: object, next: RememberedResponse | undefined): void {
    // The new response is held before the old one is released: it usually continues the old one and needs its context.
    if (next !== undefined) this.#memory.hold(next);
    this.#memory.release(this.#latest.get(lane));
    if (next === undefined) this.#latest.delete(lane);
    else this.#latest.set(lane, next);
  }
}
