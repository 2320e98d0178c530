import { maxModels, modelMs } from '../../base/bounds.js';
import type { Clock } from '../../base/clock.js';

/** Models without a feature at this endpoint, for this credential: streaming (Q6), or continuing a response by its id (Q5). */
export class ExpiringModels {
  readonly #clock: Clock;
  /** When each model is forgotten, on the clock. */
  readonly #models = new Map<unknown, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(model: unknown): void {
    this.#models.delete(model);
    this.#models.set(model, this.#clock.now() + modelMs);
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
