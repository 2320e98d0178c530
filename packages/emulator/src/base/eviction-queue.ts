/** So many are looked up at once. */
const batchSize = 16;

/**
 * The members of a Set from the oldest on, for one that lets go of them in this order. A Set that is asked for its first member again
 * and again steps over all that were deleted before it, each time: so members are looked up in batches. An iterator that is kept
 * between two calls would hold every table that the Set has had since, with all that was deleted.
 */
export class EvictionQueue<T> {
  readonly #members: ReadonlySet<T>;
  /** The next members, the oldest last. */
  #batch: T[] = [];

  constructor(members: ReadonlySet<T>) {
    this.#members = members;
  }

  /** The oldest member, which the caller removes. One that was removed and added again a few calls ago may still count as old. */
  next(): T | undefined {
    for (const mayRefill of [true, false]) {
      for (let next = this.#batch.pop(); next !== undefined; next = this.#batch.pop())
        if (this.#members.has(next)) return next;
      if (mayRefill) this.#batch = firstOf(this.#members).toReversed();
    }
    return undefined;
  }
}

function firstOf<T>(members: ReadonlySet<T>): T[] {
  const first: T[] = [];
  for (const member of members) {
    first.push(member);
    if (first.length === batchSize) break;
  }
  return first;
}
