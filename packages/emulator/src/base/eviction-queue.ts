/**
 * Gives out the members of a Set in the order in which they were added, for an owner that deletes the oldest ones first. The queue keeps
 * one iterator: a new iterator for each deletion would step over all members that were deleted before.
 */
export class EvictionQueue<T> {
  readonly #members: ReadonlySet<T>;
  #iterator: Iterator<T>;

  constructor(members: ReadonlySet<T>) {
    this.#members = members;
    this.#iterator = members.values();
  }

  /** The oldest member that was not given out yet; after the last member, the first one again. Undefined for an empty Set. */
  next(): T | undefined {
    let step = this.#iterator.next();
    if (step.done === true) {
      this.#iterator = this.#members.values();
      step = this.#iterator.next();
    }
    return step.done === true ? undefined : step.value;
  }
}
