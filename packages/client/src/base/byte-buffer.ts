/**
 * In bytes. What is longer is not kept for the next use, but belongs to who takes it: a connection that rests would hold what one large event took.
 */
export const reusedBytes = 16 * 1024;

/** In bytes. So much of what is announced is made room for before it is there. */
const preallocatedBytes = 256 * 1024;

const nothing = Buffer.alloc(0);

/**
 * Bytes that come in pieces, copied: their memory is lent (`network/intake.ts`). Grows by doubling, so that many tiny pieces take the memory of
 * their bytes, and not of their number (N8).
 */
export class ByteBuffer {
  #buffer = nothing;
  length = 0;

  /** @param wanted how long all of it will be; 0 where that is not known. */
  append(chunk: Buffer, start: number, end: number, wanted = 0): void {
    const length = this.length + end - start;
    if (length > this.#buffer.length) {
      const room = Math.max(length, 2 * this.#buffer.length, Math.min(wanted, preallocatedBytes));
      // What its taker may hold for long has no more than it needs.
      const larger = Buffer.allocUnsafeSlow(wanted > reusedBytes ? Math.min(room, wanted) : room);
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.length, start, end);
    this.length = length;
  }

  /** All of it; up to {@link reusedBytes} only lent, until something is added. It is empty then. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.length = 0;
    if (this.#buffer.length > reusedBytes) this.#buffer = nothing;
  }
}
