import { slowDialIntervalMs, slowDialsMs } from '../../base/bounds.js';
import { failureTable } from '../../protocol/errors/failure-table.js';
import type { Clock } from '../../base/clock.js';
import type { FailureKind } from '../../protocol/errors/failure-kind.js';

/**
 * How fast connections may be dialled. As fast as they are wanted, except for a minute after an upgrade was refused for their number: by 429,
 * or by the 403 of an edge before which many agents dial at once (A4, H9). Then one a second.
 *
 * For one endpoint. It only tells the time; the queue is its caller's.
 */
export class DialRateLimiter {
  readonly #clock: Clock;
  readonly #jitter: () => number;
  #slowUntil = -Infinity;
  /** When the next dial may begin, on the clock. */
  #next = -Infinity;

  /** @param jitter a random number from 0 up to 1. */
  constructor(clock: Clock, jitter: () => number = Math.random) {
    this.#clock = clock;
    this.#jitter = jitter;
  }

  /** Milliseconds until a dial may begin. After 0 the caller dials; after any other number it waits and asks again. */
  ready(): number {
    const now = this.#clock.now();
    if (now >= this.#slowUntil) return 0;
    if (now < this.#next) return Math.min(this.#next, this.#slowUntil) - now;
    this.#next = now + this.#interval();
    return 0;
  }

  /** An upgrade was refused for this reason. */
  refused(kind: FailureKind): void {
    if (failureTable[kind].slowsDials !== true) return;
    const now = this.#clock.now();
    // The dial that was refused was the last one.
    if (now >= this.#slowUntil) this.#next = now + this.#interval();
    this.#slowUntil = now + slowDialsMs;
  }

  #interval(): number {
    return slowDialIntervalMs * (1 + this.#jitter() / 5);
  }
}
