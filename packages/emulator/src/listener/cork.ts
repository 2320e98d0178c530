import type { Duplex } from 'node:stream';
import { afterThisTick } from '../base/timers.js';

/**
 * Returns a function to be called before each write to a connection. The writes of one tick then leave in one system call. None of them is
 * delayed, because the microtask that releases them runs before anything else. Without it, `npm run bench:emulator` is a third slower in the
 * row `chains`.
 */
export function corkUntilMicrotask(tcp: Duplex): () => void {
  let isCorked = false;
  const release = (): void => {
    isCorked = false;
    tcp.uncork();
  };
  return () => {
    if (isCorked) return;
    isCorked = true;
    tcp.cork();
    afterThisTick(release);
  };
}
