import { createHash } from 'node:crypto';

/** Numbers that only depend on a seed and a name, so that what happens to one turn never depends on when another was asked. */
export class Random {
  #state: number;

  constructor(seed: number, ...name: readonly (string | number)[]) {
    this.#state = createHash('sha256')
      .update([seed, ...name].join('/'))
      .digest()
      .readUInt32LE(0);
  }

  /** In [0, 1). Mulberry32, by Tommy Ettinger, in the public domain. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  of<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to choose from');
    return value;
  }
}
