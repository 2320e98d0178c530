import { signalStatus } from './exit-status.js';
import type { Io, Signal } from './io.js';

/** Counts signals: the first one ends the running work in good order, the second one ends the process at once. */
export class Interrupts {
  received: Signal | undefined;
  /** Called before the second signal ends the process. */
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
    // A terminal that is closed sends SIGHUP several times, and only the first one counts.
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
