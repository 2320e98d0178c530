/** The largest memory that is reused, in bytes. Larger memory belongs to the taker: an idle connection must not keep what one large event took. */
const reusedBytes = 16 * 1024;

/** The most bytes that are allocated ahead for an announced length. */
const preallocatedBytes = 256 * 1024;

const nothing = Buffer.alloc(0);

/** Copies chunks into one buffer. It grows by doubling, so that many tiny chunks cost the memory of their bytes only (N8). */
export class ByteBuffer {
  #buffer = nothing;
  length = 0;

  /** @param wanted the announced length of the whole; 0 if unknown. */
  append(chunk: Buffer, start: number, end: number, wanted = 0): void {
    const length = this.length + end - start;
    if (length > this.#buffer.length) {
      const room = Math.max(length, 2 * this.#buffer.length, Math.min(wanted, preallocatedBytes));
      // A large buffer is given away, and has no more memory than announced.
      const larger = Buffer.allocUnsafeSlow(wanted > reusedBytes ? Math.min(room, wanted) : room);
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.length, start, end);
    this.length = length;
  }

  /** Takes the bytes, and leaves the buffer empty. Up to {@link reusedBytes} the memory is valid only until the next `append`. */
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
