import { createHash } from 'node:crypto';

/** Length of the part after the prefix, as real ids have it. */
const LENGTHS = { resp: 50, msg: 50, fc: 50, rs: 50, call: 24, req: 32 } as const;

export type IdPrefix = keyof typeof LENGTHS;

/**
 * Ids that look real and are the same in every run: the n-th id of a kind depends on the seed and n alone. Two emulators
 * with different seeds never share one.
 */
export class Ids {
  readonly #seed: string;
  readonly #issued = new Map<IdPrefix, number>();

  constructor(seed: string | number) {
    this.#seed = String(seed);
  }

  next(prefix: IdPrefix): string {
    const n = (this.#issued.get(prefix) ?? 0) + 1;
    this.#issued.set(prefix, n);
    const digest = createHash('sha256').update(`${this.#seed}\n${prefix}\n${n}`).digest('hex');
    return `${prefix}_${digest.slice(0, LENGTHS[prefix])}`;
  }
}
