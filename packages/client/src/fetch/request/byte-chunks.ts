/** The bytes of a body in the chunks in which they came: they are compared and copied as they lie there. */
export class ByteChunks {
  readonly length: number;
  readonly #chunks: readonly Buffer[];

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  /** The bytes between two places, in order, as parts of the chunks: nothing is copied. No part is empty. */
  parts(from: number, to: number): Buffer[] {
    const parts: Buffer[] = [];
    let begin = 0;
    for (const chunk of this.#chunks) {
      const end = begin + chunk.length;
      const [first, last] = [Math.max(from, begin), Math.min(to, end)];
      if (first < last) parts.push(chunk.subarray(first - begin, last - begin));
      begin = end;
    }
    return parts;
  }
}
