import { maxSpareFrameBytes } from '../base/bounds.js';

/** The smallest frame for which memory is used again, in bytes: Node takes that of smaller ones out of a pool, or malloc has it. */
const minReusedBytes = 64 * 1024;

/**
 * Memory for large frames, which is used again once the system has taken a frame. A frame of 400 kB in memory of its own costs 100 page faults, and V8 frees
 * it late.
 */
export class FrameMemory {
  #spare: Buffer | undefined;

  /** At least `length` bytes, aligned to words. */
  take(length: number): Buffer {
    if (length < minReusedBytes || length > maxSpareFrameBytes) return alignedMemory(length);
    const spare = this.#spare;
    if (spare === undefined || spare.length < length) return Buffer.allocUnsafeSlow(roundedUp(length));
    this.#spare = undefined;
    return spare;
  }

  /** Takes the memory back. Nobody may read it any more. */
  giveBack(memory: Buffer): void {
    if (memory.length < minReusedBytes || memory.length > maxSpareFrameBytes) return;
    if (this.#spare === undefined || this.#spare.length < memory.length) this.#spare = memory;
  }
}

/** Memory for words of four bytes. Node's pool is aligned to eight; another runtime's need not be. */
export function alignedMemory(length: number): Buffer {
  const memory = Buffer.allocUnsafe(length);
  return memory.byteOffset % 4 === 0 ? memory : Buffer.from(new ArrayBuffer(length));
}

/** The next power of two: the frames of a history that grows fit into the memory of the one before. */
function roundedUp(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}
