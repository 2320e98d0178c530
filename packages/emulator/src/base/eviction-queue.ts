/** The number of members that are looked up at once. */
const batchSize = 16;

/**
 * Gives out the members of a Set in the order in which they were added, for an owner that deletes the oldest ones first. Members are looked up
 * in batches: a new iterator for each deletion would step over all members that were deleted before, and an iterator that is kept between two
 * calls would hold every hash table that the Set has had since, with its deleted members.
 */
export class EvictionQueue<T> {
  readonly #members: ReadonlySet<T>;
  /** The next members, the oldest last. */
  #batch: T[] = [];

  constructor(members: ReadonlySet<T>) {
    this.#members = members;
  }

  /** The oldest member, which the caller deletes; undefined for an empty Set. A member that was deleted and added again may still count as old. */
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
