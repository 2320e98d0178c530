import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from './script.js';

/** Shorter waits are not waited for: a timer is no more exact than this, and a late one is made up for by the next. */
const SHORTEST_WAIT_MS = 1;

/**
 * Says when an event may go out. Everything before the first item is sent at once; the first item waits for the first
 * token, and each delta for its token. Counted from the start, so timers that fire late do not add up.
 */
export class Metronome {
  readonly #intervalMs: number;
  readonly #signal: AbortSignal;
  #due: number;
  #begun = false;
  readonly #firstTokenMs: number;

  constructor(pace: Pace, signal: AbortSignal) {
    this.#firstTokenMs = pace.first_token_ms ?? 0;
    this.#intervalMs = pace.tokens_per_second === undefined ? 0 : 1000 / pace.tokens_per_second;
    this.#signal = signal;
    this.#due = performance.now();
  }

  /** Undefined if the event may go out now; rejects when the turn is aborted. */
  before(eventType: string): Promise<void> | undefined {
    if (!this.#begun && eventType !== 'response.created' && eventType !== 'response.in_progress') {
      this.#begun = true;
      this.#due += this.#firstTokenMs;
    }
    if (eventType.endsWith('.delta')) this.#due += this.#intervalMs;
    const wait = this.#due - performance.now();
    return wait < SHORTEST_WAIT_MS ? undefined : sleep(wait, undefined, { signal: this.#signal });
  }
}
