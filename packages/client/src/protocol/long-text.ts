/**
 * A long text as the bytes it came in, which are its own: nobody else writes them, and nobody may. A string of this size is a piece of memory that V8
 * asks the system for and gives back: of 200 KB in which nobody looks, most of what they cost.
 */
export class LongText {
  /** UTF-8: who makes one has seen to it. */
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** In bytes: what buffers are measured by. */
  get length(): number {
    return this.bytes.length;
  }

  /** As much of it as it takes to see what it is. Its last character may be cut. */
  get prefix(): string {
    return this.bytes.toString('utf8', 0, prefixBytes);
  }

  endsWith(character: '}'): boolean {
    return this.bytes[this.bytes.length - 1] === character.charCodeAt(0);
  }

  /** Made anew each time. */
  toString(): string {
    return this.bytes.toString();
  }
}

const prefixBytes = 256;
