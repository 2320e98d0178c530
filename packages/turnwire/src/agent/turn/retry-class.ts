import { TurnwireError } from '@turnwire/client';

/** What a failure of a turn says about trying again. */
export type RetryClass =
  /** It may pass by itself. */
  | 'passes'
  /** Too many requests: it passes when the server says so. */
  | 'rate_limit'
  /** The context window is full. */
  | 'overflow'
  /** Trying the same again would fail again; another model may do. */
  | 'stays'
  /** The user has ended it, or this process has: nothing is tried any more. */
  | 'over';

/** What a failure says, by the kind that the client has found. */
export function retryClassOf(error: unknown): RetryClass {
  if (!(error instanceof TurnwireError)) return 'over';
  // What a recording does not have, another model would be asked for in vain.
  if (error.server?.code === 'replay_mismatch') return 'over';
  switch (error.kind) {
    case 'aborted':
      return 'over';
    case 'context_length':
    case 'too_large':
      return 'overflow';
    case 'chain_lost':
      // The next attempt brings the whole history.
      return 'passes';
    case 'rate_limit':
      return error.transient ? 'rate_limit' : 'stays';
    default:
      return error.transient ? 'passes' : 'stays';
  }
}
