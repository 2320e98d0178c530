// Quotes within a JSON text are escaped, so the pattern never matches inside of one. Events need not be parsed for their numbers.
const sequence = /"sequence_number":\s*(\d+)/;

/** The sequence number of an event; -1 if it has none. */
export function sequenceOf(text: string): number {
  return Number(sequence.exec(text)?.[1] ?? -1);
}

/** Keeps the sequence numbers of one response unique and in order (P55), although answers to steers are inserted between its events. */
export class Numbering {
  #last: string | number = -1;
  #inserted = 0;

  /** The text of an event with its number moved by the number of inserted events. */
  pass(text: string): string {
    const numbered =
      this.#inserted === 0
        ? text
        : text.replace(sequence, (_, number: string) => `"sequence_number":${Number(number) + this.#inserted}`);
    this.#last = numbered;
    return numbered;
  }

  /** The number for an event that is inserted after the latest one. */
  insert(): number {
    const next = (typeof this.#last === 'string' ? sequenceOf(this.#last) : this.#last) + 1;
    this.#last = next;
    this.#inserted += 1;
    return next;
  }
}
