import { TurnwireError } from '../protocol/errors/errors.js';

/** What an aborted turn fails with; the caller's reason is its cause. */
export function abortedError(reason: unknown): TurnwireError {
  return new TurnwireError('aborted', 'the turn was aborted', { cause: reason });
}
