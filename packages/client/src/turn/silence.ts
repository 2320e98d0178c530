import type { Clock, Timer } from '../clock.js';

/**
 * Watches how long nothing has happened. Every event counts as life and costs only the time of day: the timer is set anew when it
 * fires too early, and not at each event.
 */
export class Silence {
  readonly #clock: Clock;
  #limitMs = Infinity;
  #since = 0;
  #timer: Timer | undefined;
  #run: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on `run` is called once, after `limitMs` without a sign of life. */
  watch(limitMs: number, run: () => void): void {
    this.stop();
    this.#limitMs = limitMs;
    this.#run = run;
    this.#since = this.#clock.now();
    this.#set(limitMs);
  }

  alive(): void {
    this.#since = this.#clock.now();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #set(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      const left = this.#limitMs - (this.#clock.now() - this.#since);
      // Timers may fire a fraction early.
      if (left <= 1) this.#run();
      else this.#set(left);
    });
  }
}
