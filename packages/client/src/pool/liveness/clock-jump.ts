import { clockJumpMs } from '../../base/bounds.js';
import type { Clock } from '../../base/clock.js';

/**
 * Notices that time has jumped (B6): the machine slept, the process was stopped, or the clock was set. The monotonic clock does not count a sleep, and
 * the time of day does. When the two have moved apart, every socket may be dead.
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

  /** Whether the clocks have moved apart since the last call. */
  hasJumped(): boolean {
    const now = this.#clock.now();
    const wall = this.#clock.wall();
    const gap = wall - this.#wall - (now - this.#now);
    this.#now = now;
    this.#wall = wall;
    return Math.abs(gap) > clockJumpMs;
  }
}

/** Whether a timer that fires `lateMs` too late shows that the process, or its event loop, has stood still. */
export function isStall(lateMs: number): boolean {
  return lateMs > clockJumpMs;
}
