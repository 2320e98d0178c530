/**
 * The strings that were used last: at least `size` of them, and fewer than twice as many. They are kept in two generations, of which the older
 * one is dropped when the newer one is full. So using a string again costs nothing but a lookup, which deleting and adding it would not.
 */
export class RecentSet {
  readonly #size: number;
  #newer = new Set<string>();
  #older: ReadonlySet<string> = new Set();

  constructor(size: number) {
    this.#size = size;
  }

  has(value: string): boolean {
    return this.#newer.has(value) || this.#older.has(value);
  }

  /** Adds a string, or notes that it was used again. */
  add(value: string): void {
    this.#newer.add(value);
    if (this.#newer.size < this.#size) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}
