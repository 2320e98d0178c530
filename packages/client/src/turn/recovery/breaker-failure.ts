import type { TurnwireError } from '../../protocol/errors/errors.js';
import type { Phase } from '../../protocol/phase.js';
import type { FailureCause } from '../../protocol/errors/failure-table.js';

/** A failure that counts for the breaker; `breakerTable` says what follows. */
export interface BreakerFailure {
  kind: BreakerFailureKind;
  /** How long the server asks to wait, in milliseconds. */
  retryAfterMs: number | undefined;
  /** The failure as a sentence, for reports. */
  why: string;
  /** The same for each failure of this kind, whatever times its sentence names: for warnings that are given once. */
  key: string;
}

export type BreakerFailureKind =
  /** The status of the upgrade says that there is no WebSocket here (A1). */
  | 'unsupported'
  /** Closed by policy (P92). */
  | 'policy'
  /** The upgrade was refused with a status that may mean anything. */
  | 'refused'
  /** Overload, or a throttle (A4, A5). */
  | 'busy'
  /** The dial was not answered in time (A6). */
  | 'no_answer'
  /** The dial failed. */
  | 'unreachable'
  /** The connection was lost, or silent, before any output. */
  | 'lost'
  /** Closed in good order without an event: this WebSocket does not take the request, and HTTP may (C11). */
  | 'shape';

/**
 * The kind of failure as which each cause counts for the breaker. Causes that are not listed do not count: refusals of the turn, failures that would hit HTTP
 * as well (certificates, names, credentials), and a frame that was too large (E1).
 */
const breakerKinds: Readonly<Partial<Record<FailureCause, BreakerFailureKind>>> = {
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

/** The key of a failure: the same for each failure of this kind. */
export function failureKey({ code, status, closeCode }: TurnwireError): string {
  return `${code} ${status ?? closeCode ?? ''}`;
}

/** undefined if the failure does not count: by its cause, or because output has come, so that the WebSocket worked. */
export function breakerFailureOf(
  cause: FailureCause,
  { error, transport, phase }: { error: TurnwireError; transport: 'websocket' | 'sse'; phase: Phase },
): BreakerFailure | undefined {
  const isEarly = phase === 'queued' || phase === 'sending' || phase === 'sent' || phase === 'created';
  if (transport !== 'websocket' || !isEarly) return undefined;
  // The connection was closed after the whole request was sent: the request is the cause.
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
