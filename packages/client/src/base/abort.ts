import { setMaxListeners } from 'node:events';

/**
 * Calls `run` once, with the reason, when `signal` is aborted. The function returned removes the listener.
 *
 * Every part of the chain of aborts is built by this function: turn, attempt, pool, dial, connection, credentials.
 */
export function onAbort(signal: AbortSignal, run: (reason: unknown) => void): () => void {
  const listener = (): void => run(signal.reason);
  // One signal may serve many turns, and each turn removes its listener: Node would warn of a leak at the eleventh.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
