import { limit } from '../clock.js';
import type { Clock } from '../clock.js';

interface Waiter {
  /** True if there was something for it. */
  serve: () => boolean;
  fail: (error: unknown) => void;
}

/** Those who wait for a place, in order of arrival: nobody overtakes, and nobody waits longer than `queueMs`. */
export class Queue<Found> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #timeout: () => Error;
  readonly #waiters: Waiter[] = [];

  constructor({ clock, queueMs }: { clock: Clock; queueMs: number }, timeout: () => Error) {
    this.#clock = clock;
    this.#ms = queueMs;
    this.#timeout = timeout;
  }

  get empty(): boolean {
    return this.#waiters.length === 0;
  }

  /** Resolves with what `find` finds when it is this one's turn; rejects after `queueMs`, or with what `signal` is aborted with. */
  join(find: () => Promise<Found> | undefined, signal: AbortSignal): Promise<Found> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown): void => {
        leave();
        const index = this.#waiters.indexOf(waiter);
        if (index !== -1) this.#waiters.splice(index, 1);
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason);
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
      const timer = limit(this.#clock, this.#ms, () => fail(this.#timeout()));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Something has become free. */
  serve(): void {
    while (this.#waiters[0]?.serve()) this.#waiters.shift();
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
  }
}
