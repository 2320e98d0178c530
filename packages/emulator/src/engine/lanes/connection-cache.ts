import type { Eviction } from '../../wire/dialect.js';
import type { Memory, RememberedResponse } from '../../memory/memory.js';

/** What one lane can continue without the store, and how its turns change that. */
export interface LaneCache {
  /** The latest response of this lane or, to fork it, of another lane of the same connection (P46). */
  find(id: string): RememberedResponse | undefined;
  /** A turn ended well: its response is the lane's latest now, and the only one (P70). */
  advance(response: RememberedResponse): void;
  /** A turn ended badly. `continued` is the `previous_response_id` it named, if any (P72). */
  evict(continued: unknown, how: 'refused' | 'failed'): void;
}

/** The responses one connection holds in memory: the latest of each lane, until it closes (P70). */
export class ConnectionCache {
  readonly #memory: Memory;
  readonly #eviction: Eviction;
  readonly #latest = new Map<object, RememberedResponse>();

  constructor(memory: Memory, eviction: Eviction) {
    this.#memory = memory;
    this.#eviction = eviction;
  }

  /** The lineage of one lane; `lane` is its identity. */
  laneCache(lane: object): LaneCache {
    return {
      find: (id) => {
        const own = this.#latest.get(lane);
        if (own?.response.id === id) return own;
        return [...this.#latest.values()].find(({ response }) => response.id === id);
      },
      advance: (response) => this.#replace(lane, response),
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
    // Held before the other is released: the next one usually continues it, and must not lose its context.
    if (next !== undefined) this.#memory.hold(next);
    this.#memory.release(this.#latest.get(lane));
    if (next === undefined) this.#latest.delete(lane);
    else this.#latest.set(lane, next);
  }
}
