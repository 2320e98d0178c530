import type { Clock, Timer } from '../clock.js';

/**
 * Watches how long nothing has happened. A sign of life costs only the time of day: the timer is set anew when it fires too early, and not
 * at each event. Two limits: `limitMs` counts any sign of life, a pong for example; `eventsMs` counts events alone, since a server that
 * answers pings and says nothing else for ever must end somewhere, too.
 */
export class Silence {
  readonly #clock: Clock;
  #limitMs = Infinity;
  #eventsMs = Infinity;
  #sign = 0;
  #event = 0;
  #timer: Timer | undefined;
  /** When it fires. */
  #due = Infinity;
  #run: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on `run` is called once, when one of the limits has passed. */
  watch(limitMs: number, eventsMs: number, run: () => void): void {
    this.#limitMs = limitMs;
    this.#eventsMs = eventsMs;
    this.#run = run;
    const now = this.#clock.now();
    this.#sign = this.#event = now;
    const ms = Math.min(limitMs, eventsMs);
    // A timer that is set already and not too late will find out how much is left.
    if (this.#timer !== undefined && this.#due <= now + ms) return;
    this.stop();
    this.#set(ms, now);
  }

  /** An event came. */
  event(): void {
    this.#sign = this.#event = this.#clock.tick();
  }

  /** Something else came. */
  alive(): void {
    this.#sign = this.#clock.now();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #set(ms: number, at: number): void {
    this.#due = at + ms;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      const now = this.#clock.now();
      const left = Math.min(this.#limitMs - (now - this.#sign), this.#eventsMs - (now - this.#event));
      // Timers may fire a fraction early.
      if (left <= 1) this.#run?.();
      else this.#set(left, now);
    });
  }
}
