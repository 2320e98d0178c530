import type { Clock } from '../../base/clock.js';

/** In milliseconds. What has changed at the server meanwhile is found out within this time. */
const expiryMs = 3_600_000;

/** The one that was noted first is forgotten first. */
const maxModels = 100;

/**
 * Models of which something was found out that this endpoint and this credential do not do: stream them (Q6), continue their responses by an id (Q5).
 * It is done without meanwhile.
 */
export class ExpiringModels {
  readonly #clock: Clock;
  /** When each is forgotten. */
  readonly #models = new Map<unknown, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(model: unknown): void {
    this.#models.delete(model);
    this.#models.set(model, this.#clock.now() + expiryMs);
    for (const first of this.#models.keys()) {
      if (this.#models.size <= maxModels) return;
      this.#models.delete(first);
    }
  }

  has(model: unknown): boolean {
    const until = this.#models.get(model);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#models.delete(model);
    return false;
  }
}
