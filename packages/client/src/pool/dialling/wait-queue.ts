import { onAbort } from '../../base/abort.js';
import { startDeadline } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';

interface Waiter {
  /** True if the waiter was served. */
  serve: () => boolean;
  fail: (error: unknown) => void;
}

/** Waiters in order of arrival, each with its own time-out. */
export class WaitQueue<Found> {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get empty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves with the result of `find`, once `find` gives one. Rejects with `timeout()` after `ms`, or with the reason of `signal`. */
  wait(find: () => Promise<Found> | undefined, signal: AbortSignal, ms: number, timeout: () => Error): Promise<Found> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer.cancel();
        release();
      };
      const fail = (error: unknown): void => {
        leave();
        this.#waiters.delete(waiter);
        reject(error);
      };
      const waiter: Waiter = {
        serve: () => {
          const found = find();
          if (found === undefined) return false;
          leave();
          found.then(resolve, reject);
          return true;
        },
        fail,
      };
      const timer = startDeadline(this.#clock, ms, () => fail(timeout()));
      const release = onAbort(signal, fail);
      this.#waiters.add(waiter);
    });
  }

  /** Serves waiters in order, up to the first that cannot be served. */
  serve(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.serve()) return;
      this.#waiters.delete(waiter);
    }
  }

  /** Serves every waiter that can be served: a lane may be of no use to the first and of use to the next. */
  serveAny(): void {
    for (const waiter of this.#waiters) if (waiter.serve()) this.#waiters.delete(waiter);
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.fail(error);
  }
}
