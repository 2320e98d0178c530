/** Keeps the first and the last bytes of a stream and counts what lies between: memory does not grow with what a command prints. */
export class HeadAndTail {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #headLength = 0;
  #tail: Buffer[] = [];
  #tailLength = 0;
  #total = 0;

  /** @param limit bytes to keep, half of them from each end */
  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    const room = this.#half - this.#headLength;
    // Copied: a slice would keep the whole chunk in memory.
    if (room > 0) {
      this.#head.push(Buffer.from(chunk.subarray(0, room)));
      this.#headLength += Math.min(room, chunk.length);
    }
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    this.#tail.push(Buffer.from(rest));
    this.#tailLength += rest.length;
    // Not at every chunk, so that the cost of joining stays in proportion.
    if (this.#tailLength > 2 * this.#half) this.#trim();
  }

  #trim(): void {
    const joined = Buffer.concat(this.#tail);
    const kept = Buffer.from(joined.subarray(Math.max(0, joined.length - this.#half)));
    this.#tail = [kept];
    this.#tailLength = kept.length;
  }

  /** The text, with a line in the middle that says how much was left out. Bytes that are no UTF-8 become U+FFFD. */
  toString(): string {
    this.#trim();
    const cut = this.#total - this.#headLength - this.#tailLength;
    if (cut === 0) return Buffer.concat([...this.#head, ...this.#tail]).toString();
    const head = Buffer.concat(this.#head)
      .toString()
      .replace(/\uFFFD+$/, '');
    const tail = Buffer.concat(this.#tail)
      .toString()
      .replace(/^\uFFFD+/, '');
    return `${head}\n[cut: ${cut} of ${this.#total} bytes are not shown]\n${tail}`;
  }
}
