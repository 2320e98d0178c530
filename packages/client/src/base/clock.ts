import { onAbort } from './abort.js';

/** Time, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds that only grow; not the time of day. */
  now(): number;
  /** As `now`, of about the moment in which the bytes came that are being read: asked for each event in them, it costs nothing. */
  tick(): number;
  /** The time of day in milliseconds. It jumps: after a sleep, or when somebody sets it. */
  wall(): number;
  /**
   * Calls `run` once after `ms`, unless cancelled. `Infinity` never calls it. While it waits the process stays alive, except with
   * `background`.
   */
  after(ms: number, run: () => void, options?: { background?: boolean }): Timer;
  /** Calls `run` once, unless cancelled, when all that lies in the sockets by now has been read. */
  afterPendingReads(run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Node's timers count in 32 bits; a longer wait would fire at once. */
const longestTimer = 2 ** 31 - 1;
const never: Timer = { cancel: () => {} };

/** Events that arrive in one piece are read in one tick: the clock is read once for all of them (a tenth of what a short event costs). */
let ticked: number | undefined;

/** More bytes have come, and are about to be read. */
export function beginTick(): void {
  ticked = undefined;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  tick: () => (ticked ??= performance.now()),
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

/** In so many steps a limit passes: a standstill of the loop within one of them is not noticed. */
const steps = 8;

/**
 * A limit on what somebody else may take: the other side of a connection, or the caller. `judge` is called once when it has passed.
 *
 * Time in which our own loop stood still does not count: nobody could be heard then, and nothing of ours went out. The limit's own timers know of it,
 * for they are late then. And before it judges, what has come meanwhile is read: a standstill ends with the timers that became due in it, and the
 * sockets come after them. It has an end all the same: each of its few steps is waited for once.
 */
export abstract class Deadline implements Timer {
  readonly #clock: Clock;
  readonly #background: boolean;
  #timer: Timer | undefined;
  /** When the timer is due. */
  #due = Infinity;
  #limitMs = Infinity;
  /** When it passes, as far as was known when it was looked at last; later by now where a sign of life has come. */
  #expiresAt = Infinity;
  /** Since then. */
  #stoodStillMs = 0;

  constructor(clock: Clock, background = false) {
    this.#clock = clock;
    this.#background = background;
  }

  /** How much of it is left at `now`; signs of life may have extended it. */
  protected abstract remaining(now: number): number;

  protected abstract expired(): void;

  /** Begins with so many milliseconds, standstills forgotten. */
  protected start(ms: number, now: number): void {
    this.#limitMs = ms;
    this.#expiresAt = now + ms;
    this.#stoodStillMs = 0;
    // A timer that is set already and not too late will find out how much is left.
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

/** A `Limit` of `ms` from now on; `Infinity` for none. */
export function startDeadline(
  clock: Clock,
  ms: number,
  judge: () => void,
  options: { background?: boolean } = {},
): Timer {
  return new FixedDeadline(clock, ms, judge, options.background);
}

/** Resolves after `ms`; rejects with what `signal` is aborted with, if that comes first. */
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
