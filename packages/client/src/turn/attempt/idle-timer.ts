import { Deadline } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';

/**
 * Ends a silence. There are two limits: any sign of life, such as a pong, restarts `limitMs`; only an event restarts `eventsMs`, because a server that
 * answers pings and sends no event must end somewhere too.
 *
 * A sign of life only stores its time; the timer is set anew when it fires too early.
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

  /** Calls `run` once, when one of the limits has passed from now on. */
  watch(limitMs: number, eventsMs: number, run: () => void): void {
    this.#limitMs = limitMs;
    this.#eventsMs = eventsMs;
    this.#onExpire = run;
    const now = this.#clock.now();
    this.#aliveAt = this.#eventAt = now;
    this.start(Math.min(limitMs, eventsMs), now);
  }

  /**
   * Called for each event, with the time of its bytes: events that came together have the same one. It may be before `watch`, when an event was decoded late.
   */
  eventReceived(at: number): void {
    this.#eventAt = Math.max(this.#eventAt, at);
    this.#aliveAt = Math.max(this.#aliveAt, at);
  }

  /** Called for any other sign of life. */
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
