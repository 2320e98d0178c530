import type { Clock } from './clock.js';
import { isError } from './thrown.js';

/** Resolves when `ms` have passed; rejects with the reason of `signal` when that is aborted. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const sleeper = new Sleeper(clock, signal);
  return sleeper.sleep(ms).finally(() => sleeper.stop());
}

/** Waits one after another, as the events of a turn do. The signals get one listener each, from the first wait until `stop`. */
export class Sleeper {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #interrupted: AbortSignal | undefined;
  readonly #aborted = () => this.#wake?.(reasonOf(this.#signal));
  readonly #woken = () => this.#wake?.();
  #listens = false;
  #wake: ((error?: Error) => void) | undefined;

  /** A wait ends early when `interrupted` is aborted, and rejects with the reason of `signal` when `signal` is aborted. */
  constructor(clock: Clock, signal: AbortSignal, interrupted?: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#interrupted = interrupted;
  }

  sleep(ms: number): Promise<void> {
    if (this.#signal.aborted) return Promise.reject(reasonOf(this.#signal));
    this.#listen();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => {
        this.#wake = undefined;
        resolve();
      });
      this.#wake = (error) => {
        cancel();
        this.#wake = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    this.#signal.addEventListener('abort', this.#aborted);
    this.#interrupted?.addEventListener('abort', this.#woken);
  }

  /** Removes the listeners, after the last wait. */
  stop(): void {
    if (!this.#listens) return;
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#interrupted?.removeEventListener('abort', this.#woken);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return isError(signal.reason) ? signal.reason : new Error('The turn was aborted.');
}
