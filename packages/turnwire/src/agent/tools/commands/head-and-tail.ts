/** Keeps the first and the last bytes of a stream and counts those between: memory does not grow with the output of a command. */
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
    // The bytes are copied: a slice would keep the whole chunk in memory.
    if (room > 0) {
      this.#head.push(Buffer.from(chunk.subarray(0, room)));
      this.#headLength += Math.min(room, chunk.length);
    }
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    this.#tail.push(Buffer.from(rest));
    this.#tailLength += rest.length;
    // Trimmed only at twice the length, so that the cost of joining stays in proportion.
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
    const first = Buffer.concat(this.#head);
    const last = Buffer.concat(this.#tail);
    if (first.length + last.length === this.#total) return Buffer.concat([first, last]).toString();
    // Neither side of the cut shows half a character.
    const head = first.subarray(0, wholeEnd(first));
    const tail = last.subarray(wholeStart(last));
    const cut = this.#total - head.length - tail.length;
    return `${head.toString()}\n[cut: ${cut} of ${this.#total} bytes are not shown]\n${tail.toString()}`;
  }
}

/** The most bytes of a UTF-8 character after its first one. */
const mostContinuations = 3;

/** The index behind the last whole UTF-8 character. */
function wholeEnd(bytes: Buffer): number {
  let start = bytes.length - 1;
  while (start > 0 && bytes.length - start <= mostContinuations && isContinuation(bytes[start])) start -= 1;
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? start : bytes.length;
}

/** The index of the first UTF-8 character that begins in these bytes. */
function wholeStart(bytes: Buffer): number {
  let start = 0;
  while (start < mostContinuations && isContinuation(bytes[start])) start += 1;
  return start;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
