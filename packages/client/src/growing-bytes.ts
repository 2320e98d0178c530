/** More than this is not kept for the next use: a connection that rests would hold what one large event took. In bytes. */
const keptBytes = 16 * 1024;

const nothing = Buffer.alloc(0);

/**
 * Bytes that come in pieces, copied: their memory is lent (`network/intake.ts`). Grows by doubling, so that many tiny pieces take the memory of
 * their bytes, and not of their number (N8).
 */
export class GrowingBytes {
  #buffer = nothing;
  length = 0;

  add(chunk: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.length, start, end);
    this.length = length;
  }

  /** All of it, to be used before anything is added; it is empty then. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.length = 0;
    if (this.#buffer.length > keptBytes) this.#buffer = nothing;
  }
}
