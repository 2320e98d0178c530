import { setMaxListeners } from 'node:events';
import { TurnwireError } from '../protocol/errors/errors.js';

/** What an aborted turn fails with; the caller's reason is its cause. */
export function aborted(reason: unknown): TurnwireError {
  return new TurnwireError('aborted', 'the turn was aborted', { cause: reason });
}

/** Calls `run` when `signal` is aborted; take it back with `removeEventListener`. */
export function onAbort(signal: AbortSignal, run: () => void): void {
  // One signal for many turns is good use, and each turn takes its listener back: Node's default would warn of a leak at the 11th.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', run, { once: true });
}
