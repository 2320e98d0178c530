/**
 * The members of a Set from the oldest on, for one that lets go of them in this order. A Set that is asked for its first member again
 * and again steps over all that were deleted before it, each time; an iterator that is kept has passed them.
 */
export class EvictionQueue<T> {
  readonly #members: ReadonlySet<T>;
  #iterator: Iterator<T>;

  constructor(members: ReadonlySet<T>) {
    this.#members = members;
    this.#iterator = members.values();
  }

  /** The oldest member that was not given out yet; after the last one, it begins again. */
  next(): T | undefined {
    let step = this.#iterator.next();
    if (step.done === true) {
      this.#iterator = this.#members.values();
      step = this.#iterator.next();
    }
    return step.done === true ? undefined : step.value;
  }
}
