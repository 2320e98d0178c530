import { onAbort } from '../../base/abort.js';
import { startDeadline } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';

interface Waiter {
  /** True if there was something for it. */
  serve: () => boolean;
  fail: (error: unknown) => void;
}

/** Those who wait for a place, in order of arrival, and each with a limit. */
export class WaitQueue<Found> {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get empty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves with what `find` finds when it is this one's turn; rejects after `ms` by `timeout`, or with what `signal` is aborted with. */
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

  /** Something has become free. Nobody overtakes. */
  serve(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.serve()) return;
      this.#waiters.delete(waiter);
    }
  }

  /** The same, where what is free may be of no use to the first and of use to the next. */
  serveAny(): void {
    for (const waiter of this.#waiters) if (waiter.serve()) this.#waiters.delete(waiter);
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.fail(error);
  }
}
