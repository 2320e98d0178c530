// A quote inside of a text is escaped, so this never matches there, and no event needs to be parsed for its number.
const sequence = /"sequence_number":\s*(\d+)/;

/** The number of an event; -1 if it has none. */
export function sequenceOf(text: string): number {
  return Number(sequence.exec(text)?.[1] ?? -1);
}

/** The numbers of one response's events when answers to steers come between them: they stay unique and in order (P55). */
export class Numbering {
  #last: string | number = -1;
  #inserted = 0;

  /** The event as it goes out. Without a steer, that is as it is. */
  pass(text: string): string {
    const numbered =
      this.#inserted === 0
        ? text
        : text.replace(sequence, (_, number: string) => `"sequence_number":${Number(number) + this.#inserted}`);
    this.#last = numbered;
    return numbered;
  }

  /** The number of an event that comes between. */
  insert(): number {
    const next = (typeof this.#last === 'string' ? sequenceOf(this.#last) : this.#last) + 1;
    this.#last = next;
    this.#inserted += 1;
    return next;
  }
}
