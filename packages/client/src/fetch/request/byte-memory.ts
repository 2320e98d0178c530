import { isAscii, isUtf8 } from 'node:buffer';
import { maxSpareBodyBytes } from '../../base/bounds.js';
import type { BodyTextOperations } from './body-text.js';
import type { ByteChunks } from './byte-chunks.js';

/** The beginning of a body, in blocks that are full except for the last one. */
export interface StoredBytes {
  readonly blocks: readonly Buffer[];
  readonly length: number;
}

const blockBytes = 8 * 1024;

/** The blocks that are allocated at once: a mebibyte. */
const slabBlocks = 128;

/**
 * Memory for the bytes of bodies. A body that is forgotten leaves its blocks to the next one, so there are never more than the budget of the body cache has
 * once filled.
 *
 * Kept for its measured worth: V8 frees a buffer that has lived for long only when it collects its whole heap, and lets 64 MiB of them come together before
 * that (row `memory` of `npm run bench:gateway`; bench/NOTES.md, Node 20.20, 2026-12-01).
 */
export class ByteMemory implements BodyTextOperations<ByteChunks, Buffer, StoredBytes> {
  readonly #free: Buffer[] = [];
  #scratch = Buffer.alloc(0);

  decode(body: ByteChunks, from: number): string | undefined {
    const bytes = this.#joined(body.parts(from, body.length), body.length - from);
    // Nearly all bodies are ASCII, which is decoded in a tenth of the time.
    if (isAscii(bytes)) return bytes.toString('latin1');
    return isUtf8(bytes) ? bytes.toString() : undefined;
  }

  lengthOf(text: string): number {
    return Buffer.byteLength(text);
  }

  memoryFor(length: number): number {
    return Math.ceil(length / blockBytes) * blockBytes;
  }

  store(body: ByteChunks, end: number): StoredBytes {
    return this.#append({ blocks: [], length: 0 }, body.parts(0, end));
  }

  piece(body: ByteChunks, from: number, to: number): Buffer {
    return Buffer.concat(body.parts(from, to));
  }

  grow(known: StoredBytes, added: Buffer): StoredBytes {
    return this.#append(known, [added]);
  }

  copy({ blocks, length }: StoredBytes): StoredBytes {
    const parts = blocks.map((block, index) => block.subarray(0, length - index * blockBytes));
    return this.#append({ blocks: [], length: 0 }, parts);
  }

  #append({ blocks: known, length }: StoredBytes, parts: readonly Buffer[]): StoredBytes {
    const blocks = [...known];
    let at = length;
    for (const part of parts) {
      for (let copied = 0; copied < part.length;) {
        const offset = at % blockBytes;
        if (offset === 0) blocks.push(this.#takeBlock());
        const count = part.copy(blocks.at(-1) as Buffer, offset, copied);
        copied += count;
        at += count;
      }
    }
    return { blocks, length: at };
  }

  isBeginningOf(body: ByteChunks, stored: StoredBytes): boolean {
    const { length } = stored;
    if (length > body.length) return false;
    // Histories that begin alike differ at their ends.
    return hasAt(body, stored, length - (length % blockBytes || blockBytes), length) && hasAt(body, stored, 0, length);
  }

  free({ blocks }: StoredBytes): void {
    this.#free.push(...blocks);
  }

  #takeBlock(): Buffer {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    const slab = Buffer.allocUnsafeSlow(slabBlocks * blockBytes);
    for (let at = blockBytes; at < slab.length; at += blockBytes) this.#free.push(slab.subarray(at, at + blockBytes));
    return slab.subarray(0, blockBytes);
  }

  /** The parts as one. The memory is valid until the next call. */
  #joined(parts: readonly Buffer[], length: number): Buffer {
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first;
    if (length > maxSpareBodyBytes) return Buffer.concat(parts);
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(Math.min(maxSpareBodyBytes, 2 * length));
    let at = 0;
    for (const part of parts) at += part.copy(this.#scratch, at);
    return this.#scratch.subarray(0, length);
  }
}

/** Whether a body has the stored bytes between two places. */
function hasAt(body: ByteChunks, { blocks }: StoredBytes, from: number, to: number): boolean {
  let at = from;
  for (const part of body.parts(from, to)) {
    for (let compared = 0; compared < part.length;) {
      const offset = at % blockBytes;
      const count = Math.min(blockBytes - offset, part.length - compared);
      const block = blocks[Math.floor(at / blockBytes)];
      if (block?.compare(part, compared, compared + count, offset, offset + count) !== 0) return false;
      compared += count;
      at += count;
    }
  }
  return true;
}
