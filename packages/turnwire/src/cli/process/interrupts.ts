import { signalStatus } from './exit-status.js';
import type { Io, Signal } from './io.js';

/** The first signal ends what is running, in good order; the second one the process, at once. */
export class Interrupts {
  received: Signal | undefined;
  /** Called before the process is left at once. */
  onLeave = (): void => undefined;
  #controller = new AbortController();
  readonly #stop: () => void;

  constructor(io: Io) {
    this.#stop = io.onSignal((signal) => this.interrupt(signal));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  interrupt(signal: Signal): void {
    // A terminal that is closed is told of in several ways, and once.
    if (signal === 'SIGHUP' && this.received === signal) return;
    if (this.received !== undefined) {
      this.onLeave();
      process.exit(signalStatus(signal));
    }
    this.received = signal;
    this.#controller.abort(new Error(`interrupted by ${signal}`));
  }

  renew(): void {
    if (this.received === undefined) return;
    this.received = undefined;
    this.#controller = new AbortController();
  }

  end(): void {
    this.#stop();
  }
}
