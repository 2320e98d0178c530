import { eventLoopTurn } from './incremental.js';
import { clearTimeout, machineTime, setTimeout } from './timers.js';

/** Ends a wait before it is due. A call after the wait has ended does nothing. */
export type Cancel = () => void;

/**
 * The time of one emulator, in milliseconds. Every wait and every age limit of the emulator uses it. Two things do not: the sockets of
 * the operating system, and `created_at`, which is always the real date.
 */
export interface Clock {
  /** Milliseconds since a fixed moment. The value never decreases. */
  now(): number;
  /** Calls `fire` once, after `ms` milliseconds; with 0 or less, as soon as possible. */
  after(ms: number, fire: () => void): Cancel;
}

/** The longest delay of a Node.js timer: a timer with a longer one fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's time, `speed` times as fast: with 60, an hour passes in a minute. */
export function realClock(speed = 1): Clock {
  const now = () => machineTime() * speed;
  return {
    now,
    after(ms, fire) {
      const due = now() + ms;
      let timer: NodeJS.Timeout;
      const arm = () => {
        const remaining = (due - now()) / speed;
        timer = setTimeout(remaining > longestTimerMs ? arm : fire, Math.min(Math.max(remaining, 0), longestTimerMs));
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

interface Wait {
  readonly due: number;
  readonly fire: () => void;
}

/**
 * Time that stands still until a test moves it: `startEmulator({ clock })`, then `await clock.advance(ms)`. Starts at 0.
 *
 * A turn begins to wait for its first token right after its first events went out. So a test that has received `response.created` can
 * advance the clock over that wait. `waiting` is the number of waits.
 */
export class ManualClock implements Clock {
  #now = 0;
  readonly #waits = new Set<Wait>();

  now(): number {
    return this.#now;
  }

  /** The number of waits that are not due yet: turns between two events, and the limits of open sockets. */
  get waiting(): number {
    return this.#waits.size;
  }

  after(ms: number, fire: () => void): Cancel {
    const wait = { due: this.#now + Math.max(ms, 0), fire };
    this.#waits.add(wait);
    return () => void this.#waits.delete(wait);
  }

  /**
   * Moves the time forward, and fires the waits that become due, in the order in which they are due. After each of them the event loop
   * turns once, so that the turn that waited can begin its next wait, which fires too if it becomes due.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw new RangeError(`ManualClock.advance() takes milliseconds from 0, not ${ms}: time does not go back.`);
    }
    const target = this.#now + ms;
    await eventLoopTurn();
    for (let next = this.#nextBefore(target); next !== undefined; next = this.#nextBefore(target)) {
      this.#waits.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.fire();
      await eventLoopTurn();
    }
    this.#now = Math.max(this.#now, target);
  }

  #nextBefore(target: number): Wait | undefined {
    let next: Wait | undefined;
    for (const wait of this.#waits) if (wait.due <= target && (next === undefined || wait.due < next.due)) next = wait;
    return next;
  }
}
