import { Deadline } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';

/**
 * Watches how long nothing has happened. A sign of life costs only the time of day: the timer is set anew when it fires too early, and not
 * at each event. Two limits: `limitMs` counts any sign of life, a pong for example; `eventsMs` counts events alone, since a server that
 * answers pings and says nothing else for ever must end somewhere, too.
 */
export class IdleTimer extends Deadline {
  readonly #clock: Clock;
  #limitMs = Infinity;
  #eventsMs = Infinity;
  #aliveAt = 0;
  #eventAt = 0;
  #onExpire: (() => void) | undefined;

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  /** From now on `run` is called once, when one of the limits has passed. */
  watch(limitMs: number, eventsMs: number, run: () => void): void {
    this.#limitMs = limitMs;
    this.#eventsMs = eventsMs;
    this.#onExpire = run;
    const now = this.#clock.now();
    this.#aliveAt = this.#eventAt = now;
    this.start(Math.min(limitMs, eventsMs), now);
  }

  /** An event came. */
  eventReceived(): void {
    this.#aliveAt = this.#eventAt = this.#clock.tick();
  }

  /** Something else came. */
  peerAlive(): void {
    this.#aliveAt = this.#clock.now();
  }

  protected override remaining(now: number): number {
    return Math.min(this.#limitMs - (now - this.#aliveAt), this.#eventsMs - (now - this.#eventAt));
  }

  protected override expired(): void {
    this.#onExpire?.();
  }
}
