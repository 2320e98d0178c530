import { Deadline } from '../base/clock.js';
import type { Clock } from '../base/clock.js';

/**
 * Watches how long nothing has happened. A sign of life costs only the time of day: the timer is set anew when it fires too early, and not
 * at each event. Two limits: `limitMs` counts any sign of life, a pong for example; `eventsMs` counts events alone, since a server that
 * answers pings and says nothing else for ever must end somewhere, too.
 */
export class Silence extends Deadline {
  readonly #clock: Clock;
  #limitMs = Infinity;
  #eventsMs = Infinity;
  #sign = 0;
  #event = 0;
  #run: (() => void) | undefined;

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  /** From now on `run` is called once, when one of the limits has passed. */
  watch(limitMs: number, eventsMs: number, run: () => void): void {
    this.#limitMs = limitMs;
    this.#eventsMs = eventsMs;
    this.#run = run;
    const now = this.#clock.now();
    this.#sign = this.#event = now;
    this.start(Math.min(limitMs, eventsMs), now);
  }

  /** An event came. */
  event(): void {
    this.#sign = this.#event = this.#clock.tick();
  }

  /** Something else came. */
  alive(): void {
    this.#sign = this.#clock.now();
  }

  protected override remaining(now: number): number {
    return Math.min(this.#limitMs - (now - this.#sign), this.#eventsMs - (now - this.#event));
  }

  protected override expired(): void {
    this.#run?.();
  }
}
