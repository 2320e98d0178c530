import { retryAfterMs } from './retry-after.js';
import type { Phase, TurnwireError } from '../protocol/errors.js';
import type { Cause } from './cause.js';

/** What a failure says of WebSockets at this endpoint; `breakerTable` has what follows from it. */
export interface BreakerTrip {
  kind: TripKind;
  /** The server asked to wait for so long, in milliseconds. */
  retryAfterMs: number | undefined;
  /** For reports: the failure, as a sentence. */
  why: string;
}

export type TripKind =
  /** There is no WebSocket here: a status that says so (A1). */
  | 'unsupported'
  /** Not for us: closed by policy (P92). */
  | 'policy'
  /** The upgrade was refused by a status that may mean anything. */
  | 'refused'
  /** Not now: overload, a throttle (A4, A5). */
  | 'busy'
  /** Nobody answered the dial in time (A6). */
  | 'no_answer'
  /** The dial failed. */
  | 'unreachable'
  /** The connection was lost, or silent, before any output. */
  | 'lost'
  /** Closed in good order without a word: a body that this WebSocket does not take, and HTTP may (C11). */
  | 'shape';

/**
 * undefined where it says nothing of WebSockets: refusals of the turn, what would hit HTTP as well (certificates, names, credentials),
 * a frame that was too large (E1), and losses after output, when the WebSocket worked.
 */
export function tripOf(
  cause: Cause,
  { error, transport, phase }: { error: TurnwireError; transport: 'websocket' | 'sse'; phase: Phase },
  wallMs: number,
): BreakerTrip | undefined {
  if (transport !== 'websocket') return undefined;
  const isEarly = phase === 'queued' || phase === 'sending' || phase === 'sent' || phase === 'created';
  const kind = isEarly ? kindOf(cause, error.closeCode, phase === 'sent') : undefined;
  return kind === undefined ? undefined : { kind, retryAfterMs: retryAfterMs(error, wallMs), why: error.message };
}

const tooLarge = 1009;

function kindOf(cause: Cause, closeCode: number | undefined, isSent: boolean): TripKind | undefined {
  switch (cause) {
    case 'unsupported':
    case 'unreachable':
    case 'no_answer':
      return cause;
    case 'refused_upgrade':
    case 'forbidden':
      return 'refused';
    case 'throttled':
    case 'unavailable':
      return 'busy';
    case 'turned_away':
      return closeCode === tooLarge ? undefined : 'policy';
    case 'dismissed':
      return isSent ? 'shape' : 'lost';
    case 'broken':
    case 'closed':
    case 'pong_lost':
    case 'unanswered':
      return 'lost';
    default:
      return undefined;
  }
}
