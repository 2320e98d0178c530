import { TurnwireError } from '../../protocol/errors/errors.js';

/** The reason of the caller's abort, if the turn failed by it: a fetch rejects with that reason. */
export function abortOf(error: unknown, signal: AbortSignal | undefined): { reason: unknown } | undefined {
  if (!signal?.aborted) return undefined;
  const isAbort = error === signal.reason || (error instanceof TurnwireError && error.code === 'aborted');
  return isAbort ? { reason: signal.reason } : undefined;
}

/** The error of a turn that did not run: that of a fetch without network. SDKs know its message, and may try again. */
export function networkError(error: unknown): unknown {
  return error instanceof TurnwireError ? new TypeError('fetch failed', { cause: error }) : error;
}

/**
 * The error of a body that broke off. The turn may have run, so the inner causes are not shown: the AI SDK searches them for codes such as ECONNRESET, and
 * calls again if it finds one before the first event.
 */
export function brokenBodyError(error: unknown): unknown {
  if (!(error instanceof TurnwireError)) return error;
  const { code, message, phase, kind, retryable, retryAfterMs, responseId, closeCode, closeReason, status, server } =
    error;
  const details = { phase, kind, retryable, retryAfterMs, responseId, closeCode, closeReason, status, server };
  return new TypeError('terminated', { cause: new TurnwireError(code, message, details) });
}

/** Whether an error means that the response has ended, and not well. The turn itself has not failed then. */
export function isResponseEnd(error: unknown): error is TurnwireError {
  return error instanceof TurnwireError && (error.code === 'response_cancelled' || error.code === 'response_failed');
}
