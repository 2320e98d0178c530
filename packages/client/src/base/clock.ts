import { onAbort } from './abort.js';

/** Time, so that tests can bring their own. */
export interface Clock {
  /** The monotonic clock, in milliseconds. */
  now(): number;
  /** The time of day, in milliseconds. It jumps after a sleep of the machine, and when the clock is set. */
  wall(): number;
  /**
   * Calls `run` once after `ms`, unless cancelled; never for `Infinity`. The timer keeps the process alive, except with `background`.
   */
  after(ms: number, run: () => void, options?: { background?: boolean }): Timer;
  /** Calls `run` once, unless cancelled, when the bytes that wait in the sockets now have been read. */
  afterPendingReads(run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Node's timers count in 32 bits; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;
const never: Timer = { cancel: () => {} };

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run, options) {
    if (ms > longestTimer) return never;
    const timer = setTimeout(run, ms);
    if (options?.background) timer.unref();
    return new NodeTimer(timer);
  },
  // Node reads its sockets between its timers and its immediates.
  afterPendingReads(run) {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  },
};

class NodeTimer implements Timer {
  readonly #timer: NodeJS.Timeout;

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/** The number of timers of a deadline. A standstill of the event loop is noticed when one of them fires late. */
const steps = 8;

/**
 * A deadline for the server or the caller: `expired` is called once when it has passed.
 *
 * Time in which the event loop of this process stood still does not count, because nothing could be received then. A late timer shows a standstill. Before
 * the deadline expires, the bytes that wait in the sockets are read: after a standstill Node runs timers first.
 */
export abstract class Deadline implements Timer {
  readonly #clock: Clock;
  readonly #background: boolean;
  #timer: Timer | undefined;
  /** When the timer is due, on the clock. */
  #due = Infinity;
  #limitMs = Infinity;
  /** When the deadline passes, as known at the last check; a sign of life may have extended it. */
  #expiresAt = Infinity;
  /** The time of standstills since the last extension, in milliseconds. */
  #stoodStillMs = 0;

  constructor(clock: Clock, background = false) {
    this.#clock = clock;
    this.#background = background;
  }

  /** The remaining milliseconds at `now`; signs of life extend them. */
  protected abstract remaining(now: number): number;

  protected abstract expired(): void;

  /** Starts with `ms` milliseconds, and forgets standstills. */
  protected start(ms: number, now: number): void {
    this.#limitMs = ms;
    this.#expiresAt = now + ms;
    this.#stoodStillMs = 0;
    // A timer that fires before the deadline will find out how much is left.
    if (this.#timer !== undefined && this.#due <= now + ms) return;
    this.cancel();
    this.#wait(ms, now);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(ms: number, now: number): void {
    const waitMs = Math.min(ms, this.#limitMs / steps);
    this.#due = now + waitMs;
    this.#timer = this.#clock.after(waitMs, () => this.#check(), { background: this.#background });
  }

  #check(): void {
    const now = this.#clock.now();
    this.#stoodStillMs += Math.max(0, now - this.#due);
    if (!this.#extend(now)) this.#timer = this.#clock.afterPendingReads(() => this.#checkAgain());
  }

  #checkAgain(): void {
    if (this.#extend(this.#clock.now())) return;
    this.#timer = undefined;
    this.expired();
  }

  #extend(now: number): boolean {
    const left = this.remaining(now);
    if (now + left > this.#expiresAt + 1) {
      this.#expiresAt = now + left;
      this.#stoodStillMs = 0;
    }
    // Timers may fire a fraction early.
    const isLeft = left + this.#stoodStillMs > 1;
    if (isLeft) this.#wait(left + this.#stoodStillMs, now);
    return isLeft;
  }
}

class FixedDeadline extends Deadline {
  readonly #until: number;
  readonly #onExpired: () => void;

  constructor(clock: Clock, ms: number, judge: () => void, background: boolean | undefined) {
    super(clock, background);
    const now = clock.now();
    this.#until = now + ms;
    this.#onExpired = judge;
    this.start(ms, now);
  }

  protected override remaining(now: number): number {
    return this.#until - now;
  }

  protected override expired(): void {
    this.#onExpired();
  }
}

/** Starts a deadline of `ms` milliseconds; `Infinity` for none. */
export function startDeadline(
  clock: Clock,
  ms: number,
  judge: () => void,
  options: { background?: boolean } = {},
): Timer {
  return new FixedDeadline(clock, ms, judge, options.background);
}

/** Resolves after `ms`; rejects with the reason of `signal` if it is aborted before. */
export function delay(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = clock.after(ms, () => {
      release();
      resolve();
    });
    const release = onAbort(signal, (reason) => {
      timer.cancel();
      reject(reason);
    });
  });
}
