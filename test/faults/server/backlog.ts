/**
 * Bytes that have come and wait for the rest of what they belong to. They are joined only once `awaited` are there: joining at each piece
 * would cost the square of their number.
 */
export class Backlog {
  /** Fewer than so many are of no use. */
  awaited = 0;
  #pieces: Buffer[] = [];
  #length = 0;

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** All that is there; undefined while that is less than `awaited`. */
  get bytes(): Buffer | undefined {
    if (this.#length < this.awaited) return undefined;
    const joined = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = joined === undefined ? [] : [joined];
    return joined;
  }

  /** The first `count` of them have been read. */
  drop(count: number): void {
    const rest = this.bytes?.subarray(count) ?? Buffer.alloc(0);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    this.awaited = 0;
  }
}
