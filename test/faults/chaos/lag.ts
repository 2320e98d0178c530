import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late this process is, by its own timers: on a busy machine a server in it answers as late, and nobody is to blame for that. */
export class Lag {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });

  constructor() {
    this.#delay.enable();
  }

  /** The longest since the last call, in milliseconds; after a moment of measuring. */
  async measured(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ms = this.#delay.max / 1e6;
    this.#delay.reset();
    return ms;
  }

  stop(): void {
    this.#delay.disable();
  }
}
