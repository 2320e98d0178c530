import { TurnwireError } from '@turnwire/client';

/** The meaning of a turn's failure for another attempt. */
export type RetryClass =
  /** The failure may pass by itself. */
  | 'passes'
  /** Too many requests: the failure passes when the server says. */
  | 'rate_limit'
  /** The context window is full. */
  | 'overflow'
  /** The same attempt would fail again; another model may succeed. */
  | 'stays'
  /** The user or this process has ended the turn: there is no further attempt. */
  | 'over';

/** The retry class of a failure, by the kind that the client has found. */
export function retryClassOf(error: unknown): RetryClass {
  if (!(error instanceof TurnwireError)) return 'over';
  // A recording without this answer has none for another model either.
  if (error.server?.code === 'replay_mismatch') return 'over';
  switch (error.kind) {
    case 'aborted':
      return 'over';
    case 'context_length':
    case 'too_large':
      return 'overflow';
    case 'chain_lost':
      // The next attempt sends the whole history.
      return 'passes';
    case 'rate_limit':
      return error.transient ? 'rate_limit' : 'stays';
    default:
      return error.transient ? 'passes' : 'stays';
  }
}
