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

/** Resolves after `ms`; rejects with what `signal` is aborted with, if that comes first. */
export function delay(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}
