import type { Clock } from '../../base/clock.js';

/** Clocks are set by fractions of a second all the time; more than this is a sleep, or somebody's hand. In milliseconds. */
const toleratedMs = 2000;

/**
 * Notices that time has jumped (B6): the machine slept, the process was stopped, somebody set the clock. The monotonic clock does not count
 * a sleep, and the time of day does: where the two have moved apart, nobody knows what has become of the sockets.
 */
export class ClockJumpDetector {
  readonly #clock: Clock;
  #now: number;
  #wall: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#now = clock.now();
    this.#wall = clock.wall();
  }

  /** Whether it has jumped since the last time this was asked. */
  hasJumped(): boolean {
    const now = this.#clock.now();
    const wall = this.#clock.wall();
    const gap = wall - this.#wall - (now - this.#now);
    this.#now = now;
    this.#wall = wall;
    return Math.abs(gap) > toleratedMs;
  }
}

/** Whether a timer that was due `lateMs` ago shows that the process, or its loop, has stood still. */
export function isStall(lateMs: number): boolean {
  return lateMs > toleratedMs;
}
