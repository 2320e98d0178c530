import type { Phase, TurnwireError } from '../../protocol/errors/errors.js';
import type { Cause } from '../../protocol/errors/failure-table.js';

/** What a failure says of WebSockets at this endpoint; `breakerTable` has what follows from it. */
export interface BreakerFailure {
  kind: BreakerFailureKind;
  /** The server asked to wait for so long, in milliseconds. */
  retryAfterMs: number | undefined;
  /** For reports: the failure, as a sentence. */
  why: string;
  /** By which it is known again, whatever its sentence says of times: for warnings that are given once. */
  key: string;
}

export type BreakerFailureKind =
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
 * What each cause tells the breaker. Those that are not here say nothing of WebSockets: refusals of the turn, what would hit HTTP as well
 * (certificates, names, credentials), and a frame that was too large (E1).
 */
const breakerKinds: Readonly<Partial<Record<Cause, BreakerFailureKind>>> = {
  unsupported: 'unsupported',
  unreachable: 'unreachable',
  no_answer: 'no_answer',
  refused_upgrade: 'refused',
  forbidden: 'refused',
  throttled: 'busy',
  unavailable: 'busy',
  turned_away: 'policy',
  dismissed: 'lost',
  broken: 'lost',
  closed: 'lost',
  pong_lost: 'lost',
  unanswered: 'lost',
};

/** The same for each failure of this kind. */
export function failureKey({ code, status, closeCode }: TurnwireError): string {
  return `${code} ${status ?? closeCode ?? ''}`;
}

/** undefined where it says nothing of WebSockets: by its cause, and for losses after output, when the WebSocket worked. */
export function breakerFailureOf(
  cause: Cause,
  { error, transport, phase }: { error: TurnwireError; transport: 'websocket' | 'sse'; phase: Phase },
): BreakerFailure | undefined {
  const isEarly = phase === 'queued' || phase === 'sending' || phase === 'sent' || phase === 'created';
  if (transport !== 'websocket' || !isEarly) return undefined;
  // Once all was sent, that says something of this body alone.
  const kind = cause === 'dismissed' && phase === 'sent' ? 'shape' : breakerKinds[cause];
  return kind === undefined
    ? undefined
    : {
        kind,
        retryAfterMs: error.retryAfterMs,
        why: error.message,
        key: failureKey(error),
      };
}
