import type { Clock } from '../../../packages/client/dist/base/clock.js';

/** Between two looks at the timers, in milliseconds. */
const lookEveryMs = 5;
/** The most that passes between two looks, in milliseconds. */
const mostMs = 10;

interface Pending {
  due: number;
  run: () => void;
  background: boolean;
}

/**
 * Time that passes while this process runs, `factor` times as quickly. What the process waits for a processor does not count, so limits on a server
 * of the same process mean the same on a quiet machine and on a busy one: so many rounds of the event loop in which the server could have answered.
 */
export class RunningTime implements Clock {
  readonly #factor: number;
  readonly #begunWall = Date.now();
  readonly #pending = new Set<Pending>();
  #passed = 0;
  #seen = performance.now();
  #interval: NodeJS.Timeout | undefined;
  /** Timers that keep the process alive. */
  #awaited = 0;

  constructor(factor: number) {
    this.#factor = factor;
  }

  now(): number {
    return this.#passed;
  }

  wall(): number {
    return this.#begunWall + this.#passed;
  }

  after(ms: number, run: () => void, { background = false }: { background?: boolean } = {}): { cancel: () => void } {
    if (this.#interval === undefined) this.#start();
    const one: Pending = { due: this.#passed + ms, run, background };
    this.#pending.add(one);
    if (!background) this.#awaited += 1;
    if (this.#awaited > 0) this.#interval?.ref();
    return { cancel: () => this.#remove(one) };
  }

  afterPendingReads(run: () => void): { cancel: () => void } {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  }

  #start(): void {
    this.#seen = performance.now();
    this.#interval = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  #look(): void {
    const now = performance.now();
    this.#passed += Math.min(now - this.#seen, mostMs) * this.#factor;
    this.#seen = now;
    for (const one of this.#pending) {
      if (one.due > this.#passed) continue;
      this.#remove(one);
      one.run();
    }
  }

  #remove(one: Pending): void {
    if (!this.#pending.delete(one)) return;
    if (!one.background) this.#awaited -= 1;
    if (this.#awaited === 0) this.#interval?.unref();
    if (this.#pending.size > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
  }
}
