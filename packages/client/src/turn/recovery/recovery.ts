import { firstBackoffMs, maxBackoffMs, throttledRedialMs } from '../../base/bounds.js';
import { causeOf, mayRefuseChain } from './cause.js';
import { breakerFailureOf } from './breaker-failure.js';
import type { ReplayPolicy, TransportChoice } from '../../options.js';
import type { TurnwireError } from '../../protocol/errors/errors.js';
import type { Phase } from '../../protocol/phase.js';
import type { FailureCause } from '../../protocol/errors/failure-table.js';
import type { BreakerFailure } from './breaker-failure.js';

/** What is done after a failed attempt. */
export type RecoveryAction =
  /** Over the same transport, on a connection dialled for this turn. Planned anew: a delta only if the response is stored. */
  | 'redial'
  /** Over the same transport, and the same connection if it is still open, with the full input and no id. */
  | 'resend_in_full'
  /** Over the same transport, after a wait. Planned anew: a refusal may have ended the chain. */
  | 'retry'
  /** Over SSE, within the same turn. */
  | 'fall_back'
  /** Back from SSE to the first idle lane of an open WebSocket: no further connection can be dialled, of either kind. */
  | 'wait_for_lane'
  /** Give the error to the caller. */
  | 'surface';

export interface AttemptFailure {
  error: TurnwireError;
  transport: 'websocket' | 'sse';
  /** How far this attempt got. */
  phase: Phase;
  /** The connection had carried other turns, and was idle then. */
  reused: boolean;
  /** How the input was sent: in full, as a delta, or as the caller's own continuation of an id. */
  plan: 'full' | 'delta' | 'explicit';
  /** `apiKey` or `headers` is a function, which may give another credential next time. */
  credentialIsAsked: boolean;
}

export interface RecoveryPolicy {
  choice: TransportChoice;
  replay: ReplayPolicy;
  /** Running the turn twice has no effect but its cost: `TurnRequest.repeatable`. */
  repeatable: boolean;
  /** The turn can go by SSE at all. */
  sseAble: boolean;
  /** No further WebSocket can be dialled, and a lane of an open one is idle or will be. */
  lanesLeft: boolean;
  /** The caller wants a stream. */
  streams: boolean;
  /** The decisions of this turn so far. */
  done: readonly Pick<RecoveryDecision, 'move' | 'mayRunTwice'>[];
  /** The number of attempts so far, the failed one included. */
  attempts: number;
  maxAttempts: number;
  /** The rest of `recovery.budgetMs`, which runs from the first failure of the turn. */
  msLeft: number;
  /** `recovery.refusals` is `retry`. */
  retryRefusals: boolean;
  /** A random number from 0 up to 1, so that many clients do not come back at the same moment. */
  jitter: () => number;
}

export interface RecoveryDecision {
  move: RecoveryAction;
  /** The wait before the move, in milliseconds. */
  delayMs: number;
  /** Why the attempt failed. */
  cause: FailureCause;
  /** The server may have run the turn already: such a move is made once a turn. */
  mayRunTwice: boolean;
  /** Connections of this endpoint are used without `stream_id` from now on (F5). */
  withoutLanes: boolean;
  /** What the breaker is told, whatever the move. */
  breakerFailure: BreakerFailure | undefined;
}

/** Whether the server can have run the turn: with `maybe`, a further attempt may run it twice. */
type Ran = 'no' | 'maybe';

export interface RecoveryRow {
  causes: readonly FailureCause[];
  phases: readonly Phase[];
  connection: 'any' | 'rested' | 'fresh';
  ran: Ran;
  /** The first move that the policy permits is made; if there is none, the error surfaces. */
  moves: readonly RecoveryAction[];
}

const dialling: readonly Phase[] = ['queued'];
const unsent: readonly Phase[] = ['queued', 'sending'];
/** An answer may come before the news that the request was sent. */
const refused: readonly Phase[] = ['sending', 'sent'];
const unanswered: readonly Phase[] = ['queued', 'sending', 'sent'];
const silent: readonly Phase[] = ['sent'];

/**
 * The table of recovery: the first row that fits decides; if none fits, the error surfaces. Once an event was handed over, no row fits: nothing is replayed
 * then.
 *
 * Rows with `maybe` can run a turn twice. An idle connection that breaks when it is written to was usually dead before: a NAT, a proxy or the idle limit of
 * the server (B1). A server that closes in good order instead of answering has usually refused the request (P89). After a missing pong the request may have
 * arrived.
 */
export const recoveryTable: readonly RecoveryRow[] = [
  {
    causes: ['unreachable'],
    phases: dialling,
    connection: 'any',
    ran: 'no',
    moves: ['fall_back', 'wait_for_lane', 'retry'],
  },
  // `sending`: a POST whose body the server did not ask for.
  { causes: ['no_answer'], phases: unsent, connection: 'any', ran: 'no', moves: ['fall_back', 'wait_for_lane'] },
  {
    causes: ['unsupported', 'refused_upgrade'],
    phases: dialling,
    connection: 'any',
    ran: 'no',
    moves: ['fall_back'],
  },
  { causes: ['forbidden'], phases: dialling, connection: 'any', ran: 'no', moves: ['fall_back', 'redial'] },
  {
    causes: ['throttled', 'unavailable'],
    phases: dialling,
    connection: 'any',
    ran: 'no',
    moves: ['fall_back', 'retry'],
  },
  { causes: ['unauthorized'], phases: unanswered, connection: 'any', ran: 'no', moves: ['redial'] },
  { causes: ['turned_away', 'too_large'], phases: unanswered, connection: 'any', ran: 'no', moves: ['fall_back'] },
  {
    causes: ['broken', 'dismissed', 'closed'],
    phases: unsent,
    connection: 'rested',
    ran: 'no',
    moves: ['redial', 'fall_back'],
  },
  {
    causes: ['broken', 'dismissed', 'closed'],
    phases: unsent,
    connection: 'fresh',
    ran: 'no',
    moves: ['fall_back', 'wait_for_lane', 'redial'],
  },
  { causes: ['broken'], phases: silent, connection: 'rested', ran: 'maybe', moves: ['redial', 'fall_back'] },
  {
    causes: ['broken'],
    phases: silent,
    connection: 'fresh',
    ran: 'maybe',
    moves: ['fall_back', 'wait_for_lane', 'redial'],
  },
  { causes: ['pong_lost'], phases: refused, connection: 'any', ran: 'maybe', moves: ['redial', 'fall_back'] },
  // A server may also close a connection in good order that was idle for too long.
  { causes: ['dismissed'], phases: silent, connection: 'rested', ran: 'maybe', moves: ['fall_back', 'redial'] },
  { causes: ['dismissed', 'closed'], phases: silent, connection: 'any', ran: 'maybe', moves: ['fall_back'] },
  { causes: ['age_limit', 'lanes_refused'], phases: refused, connection: 'any', ran: 'no', moves: ['redial'] },
  { causes: ['stream_refused'], phases: refused, connection: 'any', ran: 'no', moves: ['fall_back'] },
  { causes: ['chain_lost'], phases: refused, connection: 'any', ran: 'no', moves: ['resend_in_full'] },
  { causes: ['chain_ignored'], phases: refused, connection: 'any', ran: 'maybe', moves: ['resend_in_full'] },
  { causes: ['throttled'], phases: refused, connection: 'any', ran: 'no', moves: ['wait_for_lane'] },
  { causes: ['busy'], phases: refused, connection: 'any', ran: 'no', moves: ['wait_for_lane', 'retry'] },
  { causes: ['given_up'], phases: refused, connection: 'any', ran: 'maybe', moves: ['retry'] },
];

/** What follows a failed attempt. Pure: the same failure under the same policy gives the same decision. */
export function recover(failure: AttemptFailure, policy: RecoveryPolicy): RecoveryDecision {
  const { error, plan } = failure;
  const cause = plan === 'delta' && mayRefuseChain(error) ? 'chain_lost' : causeOf(error);
  const row = recoveryTable.find(
    ({ causes, phases, connection }) =>
      causes.includes(cause) &&
      phases.includes(failure.phase) &&
      (connection === 'any' || failure.reused === (connection === 'rested')),
  );
  const mayRunTwice = row?.ran === 'maybe';
  const decision = {
    cause,
    mayRunTwice,
    withoutLanes: cause === 'lanes_refused',
    breakerFailure: breakerFailureOf(cause, failure),
  };
  if (row !== undefined && mayTryAgain(failure, policy, mayRunTwice)) {
    for (const move of row.moves) {
      const delayMs = delayBefore(move, cause, failure, policy);
      if (isPermitted(move, cause, failure, policy) && delayMs <= policy.msLeft) return { ...decision, move, delayMs };
    }
  }
  return { ...decision, mayRunTwice: false, withoutLanes: false, move: 'surface', delayMs: 0 };
}

/** Conditions of every move: the budget, and the replay policy. */
function mayTryAgain({ phase }: AttemptFailure, policy: RecoveryPolicy, mayRunTwice: boolean): boolean {
  if (policy.attempts >= policy.maxAttempts || !(policy.msLeft > 0)) return false;
  if (policy.replay === 'never') return phase === 'queued';
  if (!mayRunTwice) return true;
  return policy.replay === 'unanswered' && policy.repeatable && !policy.done.some((earlier) => earlier.mayRunTwice);
}

/** Conditions of one move. Each is made once a turn, except `retry`. */
function isPermitted(
  move: RecoveryAction,
  cause: FailureCause,
  failure: AttemptFailure,
  policy: RecoveryPolicy,
): boolean {
  const { transport, credentialIsAsked, plan } = failure;
  const isDone = (other: RecoveryAction): boolean => policy.done.some((earlier) => earlier.move === other);
  switch (move) {
    case 'redial':
      if (isDone('redial')) return false;
      return (cause !== 'unauthorized' && cause !== 'forbidden') || credentialIsAsked;
    case 'resend_in_full':
      return plan === 'delta' && !isDone('resend_in_full');
    case 'fall_back':
      // A model that may not be streamed is refused over SSE too.
      if (cause === 'stream_refused' && policy.streams) return false;
      return transport === 'websocket' && policy.choice === 'auto' && policy.sseAble && !isDone('fall_back');
    case 'wait_for_lane':
      return transport === 'sse' && policy.lanesLeft && !isDone('wait_for_lane');
    case 'retry':
      if (!policy.retryRefusals) return false;
      // A host that neither transport reaches is gone (A8); a throttle that lasts longer than a wait is none (A4).
      if (cause === 'unreachable') return !isDone('retry') && !isDone('fall_back');
      return cause !== 'throttled' || !isDone('retry');
    default:
      return true;
  }
}

/** The close code for: try again later. */
const tryAgainLater = 1013;

/** The wait before a move: the one that the server asks for, else the backoff. A wait of the server is never shortened, and lengthened by a second at most. */
function delayBefore(
  move: RecoveryAction,
  cause: FailureCause,
  { error }: AttemptFailure,
  { jitter, done, msLeft, retryRefusals }: RecoveryPolicy,
): number {
  const isLater = move === 'redial' && error.closeCode === tryAgainLater && retryRefusals;
  if (move !== 'retry' && !isLater) return 0;
  const asked = error.retryAfterMs;
  if (asked !== undefined) {
    // Jitter does not take a wait beyond the budget.
    const spread = asked + jitter() * Math.min(1000, Math.max(100, asked / 10));
    return asked <= msLeft ? Math.min(spread, msLeft) : asked;
  }
  if (cause === 'throttled') return throttledRedialMs + jitter() * 1000;
  const earlier = done.filter(({ move: one }) => one === 'retry').length;
  return Math.min(maxBackoffMs, firstBackoffMs * 2 ** earlier) * (0.75 + jitter() / 4);
}
