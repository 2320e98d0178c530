import type { Io } from './io.js';

/** Resolves at the first signal. */
export function untilStopped(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stop = io.onSignal(() => {
      stop();
      resolve();
    });
  });
}
