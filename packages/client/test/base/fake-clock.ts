import type { Clock, Timer } from '../../dist/base/clock.js';

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #now = 0;
  #wall = Date.UTC(2026, 0, 1);
  #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wall + this.#now;
  }

  /** Sets the time of day by so much, or sleeps so long: the monotonic clock does not notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  after(ms: number, run: () => void): Timer {
    if (ms === Infinity) return { cancel: () => {} };
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  afterPendingReads(run: () => void): Timer {
    return this.after(0, run);
  }

  /** The loop is blocked for so long, and what became due meanwhile has not run yet. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** The loop is blocked for so long: what became due meanwhile runs at its end. What that sets itself does not. */
  stall(ms: number): void {
    this.block(ms);
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.#timers.delete(timer)) timer.run();
  }

  /** Lets `ms` pass; what is due runs in its order, at its time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}
