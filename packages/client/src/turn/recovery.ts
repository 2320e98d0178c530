import { normalClosure, refusingClosures, transientClosures } from '../protocol/close-codes.js';
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
  /** The connection ended by itself, or with a close code that says nothing of the request (P90, P91). */
  | 'broken'
  /** The server closed it with the code for a request that it does not take over a WebSocket (P92, P93). */
  | 'turned_away'
  /** The same, probably: it closed it in good order, and without a word (P89). */
  | 'dismissed'
  /** The server closed it with a code of its own (P94). */
  | 'closed'
  /** `websocket_connection_limit_reached`: too old; the turn has not begun (P99). */
  | 'age_limit'
  | 'other';

interface Row {
  causes: readonly Cause[];
  phases: readonly Phase[];
  when?: Condition;
  move: Move;
}

const unsent: readonly Phase[] = ['queued', 'sending'];
const unanswered: readonly Phase[] = [...unsent, 'sent'];

type Condition = (failure: Failure, policy: Policy) => boolean;
const webSocket: Condition = ({ transport }) => transport === 'websocket';
const reused: Condition = (failure) => failure.reused;
const fresh: Condition = ({ transport, reused }) => !reused && transport === 'websocket';
const reusedAndRepeatable: Condition = ({ reused }, { repeatable }) => reused && repeatable;
const webSocketAndRepeatable: Condition = ({ transport }, { repeatable }) => transport === 'websocket' && repeatable;

/**
 * The whole of it: the first row that fits decides, and where none fits the caller gets the error. Once an event has been handed over,
 * no row fits: nothing is replayed then.
 *
 * Two rows may run a turn twice, and do not where a doubled turn has effects. A connection that has rested and ends without a word
 * when it is written to was dead before, as a rule: a NAT, a proxy or the server's idle limit (B1). And a server that closes in good
 * order instead of answering has refused the request, as a rule (P89).
 */
const table: readonly Row[] = [
  { causes: ['unreachable', 'upgrade_refused'], phases: ['queued'], when: webSocket, move: 'fall_back' },
  { causes: ['turned_away'], phases: unanswered, when: webSocket, move: 'fall_back' },
  { causes: ['broken', 'dismissed', 'closed'], phases: unsent, when: reused, move: 'redial' },
  { causes: ['broken', 'dismissed', 'closed'], phases: unsent, when: fresh, move: 'fall_back' },
  { causes: ['broken'], phases: ['sent'], when: reusedAndRepeatable, move: 'redial' },
  { causes: ['dismissed'], phases: ['sent'], when: webSocketAndRepeatable, move: 'fall_back' },
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
      if (closeCode === undefined) return cause === undefined ? 'closed' : 'broken';
      if (transientClosures.has(closeCode)) return 'broken';
      if (refusingClosures.has(closeCode)) return 'turned_away';
      return closeCode === normalClosure ? 'dismissed' : 'closed';
    case 'request_refused':
      return server?.code === 'websocket_connection_limit_reached' ? 'age_limit' : 'other';
    default:
      return 'other';
  }
}
