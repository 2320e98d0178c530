import type { Clock } from '../clock.js';

/** In milliseconds. An organization that is verified meanwhile has its streams back within this time. */
const rememberedMs = 3_600_000;

/** The one that was refused first is forgotten first. */
const mostModels = 100;

/** Models whose streams the server has refused (Q6): calls that need none go as plain HTTP meanwhile. */
export class StreamRefusals {
  readonly #clock: Clock;
  /** When each is forgotten. */
  readonly #models = new Map<unknown, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(model: unknown): void {
    this.#models.delete(model);
    this.#models.set(model, this.#clock.now() + rememberedMs);
    for (const first of this.#models.keys()) {
      if (this.#models.size <= mostModels) return;
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
