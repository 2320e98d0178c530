import { abnormalClosure } from '../protocol/close-codes.js';
import type { Phase, TurnwireError } from '../protocol/errors.js';
import type { TransportChoice } from '../options.js';

/** What is done after a failed attempt. */
export type Move =
  /** Once more over the same transport, on a connection dialled for it. */
  | 'redial'
  /** Over SSE, within the same turn. */
  | 'fall_back'
  /** The caller gets the error. */
  | 'surface';

export interface Failure {
  error: TurnwireError;
  transport: 'websocket' | 'sse';
  /** How far this attempt got. */
  phase: Phase;
  /** It ran on a connection that had carried other turns and then rested. */
  reused: boolean;
}

export interface Policy {
  choice: TransportChoice;
  /** One redial a turn. */
  redialled: boolean;
  /** Nothing but its cost doubles if the server runs the turn twice: `TurnRequest.repeatable`. */
  repeatable: boolean;
  /** The turn can go by SSE at all. */
  sseAble: boolean;
}

/** Why it failed, as far as the decision needs it. */
type Cause =
  /** No connection: DNS, TCP, TLS, or no answer in time. */
  | 'unreachable'
  /** The upgrade was answered by a status that another way may not get. */
  | 'upgrade_refused'
  /** The upgrade was answered by a status that says: not with this key, or elsewhere. */
  | 'denied'
  /** The connection ended by itself, without a close frame or the turn's terminal event. */
  | 'broken'
  /** The server closed it, with a code. */
  | 'closed'
  /** `websocket_connection_limit_reached`: too old; the turn has not begun (P99). */
  | 'age_limit'
  | 'other';

interface Row {
  causes: readonly Cause[];
  phases: readonly Phase[];
  when?: (failure: Failure, policy: Policy) => boolean;
  move: Move;
}

const unsent: readonly Phase[] = ['queued', 'sending'];
const webSocket = ({ transport }: Failure): boolean => transport === 'websocket';
const reused = (failure: Failure): boolean => failure.reused;
const fresh = (failure: Failure): boolean => !failure.reused && webSocket(failure);

/**
 * The whole of it: the first row that fits decides, and where none fits the caller gets the error. Once an event has been handed over,
 * no row fits: nothing is replayed then.
 *
 * The third row is the one that may run a turn twice. A connection that has rested and breaks without a word when it is written to was
 * dead before, as a rule: a NAT or a proxy had forgotten it (B1). Not where a doubled turn has effects.
 */
const table: readonly Row[] = [
  { causes: ['unreachable', 'upgrade_refused'], phases: ['queued'], when: webSocket, move: 'fall_back' },
  { causes: ['broken', 'closed'], phases: unsent, when: reused, move: 'redial' },
  {
    causes: ['broken'],
    phases: ['sent'],
    when: (failure, policy) => failure.reused && policy.repeatable,
    move: 'redial',
  },
  { causes: ['broken', 'closed'], phases: unsent, when: fresh, move: 'fall_back' },
  { causes: ['age_limit'], phases: ['sent'], move: 'redial' },
];

/** Pure: the same failure under the same policy has the same consequence. */
export function recover(failure: Failure, policy: Policy): Move {
  const cause = causeOf(failure.error);
  const row = table.find(
    ({ causes, phases, when }) =>
      causes.includes(cause) && phases.includes(failure.phase) && (when?.(failure, policy) ?? true),
  );
  const move = row?.move ?? 'surface';
  if (move === 'redial' && policy.redialled) return 'surface';
  if (move === 'fall_back' && (policy.choice !== 'auto' || !policy.sseAble)) return 'surface';
  return move;
}

function causeOf({ code, status = 0, closeCode, server, cause }: TurnwireError): Cause {
  switch (code) {
    case 'dial_failed':
    case 'dial_timeout':
      return 'unreachable';
    case 'upgrade_refused':
      // A redirect would carry the key elsewhere; 401 and 402 say the same over SSE.
      return status === 401 || status === 402 || (status >= 300 && status < 400) ? 'denied' : 'upgrade_refused';
    case 'connection_lost':
      // SSE has no close codes: an error of its connection says that it broke.
      return closeCode === abnormalClosure || (closeCode === undefined && cause !== undefined) ? 'broken' : 'closed';
    case 'request_refused':
      return server?.code === 'websocket_connection_limit_reached' ? 'age_limit' : 'other';
    default:
      return 'other';
  }
}
