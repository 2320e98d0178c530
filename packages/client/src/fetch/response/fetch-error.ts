import { TurnwireError } from '../../protocol/errors/errors.js';

/** The caller's own abort, if that is what a turn has failed with: its reason is what a fetch fails with. */
export function abortOf(error: unknown, signal: AbortSignal | undefined): { reason: unknown } | undefined {
  if (!signal?.aborted) return undefined;
  const isAbort = error === signal.reason || (error instanceof TurnwireError && error.code === 'aborted');
  return isAbort ? { reason: signal.reason } : undefined;
}

/** As a fetch without network fails: the turn did not run. SDKs know it by its message, and may try again. */
export function notSent(error: unknown): unknown {
  return error instanceof TurnwireError ? new TypeError('fetch failed', { cause: error }) : error;
}

/**
 * As a body fails that broke off. The turn may have run, so what lies under it is not shown: the AI SDK searches all causes for a code such as
 * ECONNRESET, and calls again where it finds one before the first event.
 */
export function brokenBody(error: unknown): unknown {
  if (!(error instanceof TurnwireError)) return error;
  const { code, message, phase, kind, retryable, retryAfterMs, responseId, closeCode, closeReason, status, server } =
    error;
  const details = { phase, kind, retryable, retryAfterMs, responseId, closeCode, closeReason, status, server };
  return new TypeError('terminated', { cause: new TurnwireError(code, message, details) });
}
