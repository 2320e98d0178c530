import type { Turn } from './turn.js';

/**
 * The turns of a client that have not ended, in no order. An array and not a set: where much comes and goes, V8's sets leave tables behind, each of
 * which names the next one, and one that has grown old keeps alive, up to the next full collection, what all after it have held. By a set
 * nearly every turn was kept in this way: three times as many bytes were copied when memory was collected (docs/performance.md).
 */
export class RunningTurns {
  readonly #turns: Turn[] = [];

  get size(): number {
    return this.#turns.length;
  }

  /** As they are now: telling one that it ends takes it out. */
  get all(): Turn[] {
    return [...this.#turns];
  }

  add(turn: Turn): void {
    this.#turns.push(turn);
  }

  delete(turn: Turn): void {
    const at = this.#turns.indexOf(turn);
    const last = this.#turns.pop();
    if (last === undefined || last === turn) return;
    if (at === -1) this.#turns.push(last);
    else this.#turns[at] = last;
  }
}
