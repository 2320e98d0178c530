import { causeOf } from './cause.js';
import { breakerFailureOf } from './breaker-failure.js';
import type { ReplayPolicy, TransportChoice } from '../../options.js';
import type { Phase, TurnwireError } from '../../protocol/errors/errors.js';
import type { Cause } from '../../protocol/errors/failure-table.js';
import type { BreakerFailure } from './breaker-failure.js';

/** What is done after a failed attempt. */
export type Move =
  /** Once more over the same transport, on a connection dialled for it. Planned anew: a delta only where the response is stored. */
  | 'redial'
  /** Once more over the same transport and, where it is still open, the same connection, with the full input and no id. */
  | 'resend_in_full'
  /** Once more over the same transport, after a wait. Planned anew: a refusal may have ended the chain. */
  | 'retry'
  /** Over SSE, within the same turn. */
  | 'fall_back'
  /** Back from SSE to the connections which are open, for the first lane that becomes free: no further connection can be had, of either kind. */
  | 'wait_for_lane'
  /** The caller gets the error. */
  | 'surface';

export interface Failure {
  error: TurnwireError;
  transport: 'websocket' | 'sse';
  /** How far this attempt got. */
  phase: Phase;
  /** It ran on a connection that had carried other turns and then rested. */
  reused: boolean;
  /** What was sent: everything, what is new by a plan of ours, or what continues an id that the caller gave. */
  plan: 'full' | 'delta' | 'explicit';
  /** `apiKey` or `headers` is a function: asked anew, it may give another credential. */
  credentialIsAsked: boolean;
}

export interface Policy {
  choice: TransportChoice;
  replay: ReplayPolicy;
  /** Nothing but its cost doubles if the server runs the turn twice: `TurnRequest.repeatable`. */
  repeatable: boolean;
  /** The turn can go by SSE at all. */
  sseAble: boolean;
  /** No further WebSocket could be dialled, and of the open ones a lane is free or will be. */
  lanesLeft: boolean;
  /** The caller wants a stream, and not one body. */
  streams: boolean;
  /** The decisions of this turn so far. */
  done: readonly Pick<Decision, 'move' | 'doubtful'>[];
  /** Begun so far, the one that failed included. */
  attempts: number;
  maxAttempts: number;
  /** Of `recovery.budgetMs`, which runs from the turn's first failure. */
  msLeft: number;
  /** `recovery.refusals` is `retry`. */
  retryRefusals: boolean;
  /** A random number from 0 up to 1, so that many clients do not come back at the same moment. */
  jitter: () => number;
}

export interface Decision {
  move: Move;
  /** Before it; 0 for at once. */
  delayMs: number;
  /** Why it failed. */
  cause: Cause;
  /** The server may have run the turn already: done once a turn. */
  doubtful: boolean;
  /** The new connection is used without `stream_id`, and so are the later ones of this endpoint (F5). */
  withoutLanes: boolean;
  /** What the breaker is to hear of it, whatever the move. */
  breakerFailure: BreakerFailure | undefined;
}

/** Whether a failure of this row can have been run by the server: `no`, or `maybe`, where repeating it may run it twice. */
type Ran = 'no' | 'maybe';

export interface RecoveryRow {
  causes: readonly Cause[];
  phases: readonly Phase[];
  connection: 'any' | 'rested' | 'fresh';
  ran: Ran;
  /** The first that the policy permits is made; where it permits none, the caller gets the error. */
  moves: readonly Move[];
}

const dialling: readonly Phase[] = ['queued'];
const unsent: readonly Phase[] = ['queued', 'sending'];
/** An answer can be faster than the news that the request has gone. */
const refused: readonly Phase[] = ['sending', 'sent'];
const unanswered: readonly Phase[] = ['queued', 'sending', 'sent'];
const silent: readonly Phase[] = ['sent'];

/**
 * The whole of it: the first row that fits decides, and where none fits the caller gets the error. Once an event has been handed over,
 * no row fits: nothing is replayed then.
 *
 * Rows that say `maybe` can run a turn twice. A connection that ends without a word when it is written to was dead before, as a rule: a
 * NAT, a proxy or the server's idle limit (B1). And a server that closes in good order instead of answering has refused the request, as a
 * rule (P89). A pong that never came belongs there too: the request may have arrived.
 */
export const recoveryTable: readonly RecoveryRow[] = [
  {
    causes: ['unreachable'],
    phases: dialling,
    connection: 'any',
    ran: 'no',
    moves: ['fall_back', 'wait_for_lane', 'retry'],
  },
  { causes: ['no_answer'], phases: dialling, connection: 'any', ran: 'no', moves: ['fall_back', 'wait_for_lane'] },
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
  // A server may also close in good order what has rested too long.
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

/** Pure: the same failure under the same policy has the same consequence. */
export function recover(failure: Failure, policy: Policy): Decision {
  const cause = causeOf(failure.error);
  const row = recoveryTable.find(
    ({ causes, phases, connection }) =>
      causes.includes(cause) &&
      phases.includes(failure.phase) &&
      (connection === 'any' || failure.reused === (connection === 'rested')),
  );
  const doubtful = row?.ran === 'maybe';
  const decision = {
    cause,
    doubtful,
    withoutLanes: cause === 'lanes_refused',
    breakerFailure: breakerFailureOf(cause, failure),
  };
  if (row !== undefined && mayTryAgain(failure, policy, doubtful)) {
    for (const move of row.moves) {
      const delayMs = delayBefore(move, cause, failure, policy);
      if (isPermitted(move, cause, failure, policy) && delayMs <= policy.msLeft) return { ...decision, move, delayMs };
    }
  }
  return { ...decision, doubtful: false, withoutLanes: false, move: 'surface', delayMs: 0 };
}

/** What holds for every move: the budget, and what the caller allows to be written twice. */
function mayTryAgain({ phase }: Failure, policy: Policy, doubtful: boolean): boolean {
  if (policy.attempts >= policy.maxAttempts || !(policy.msLeft > 0)) return false;
  if (policy.replay === 'never') return phase === 'queued';
  if (!doubtful) return true;
  return policy.replay === 'unanswered' && policy.repeatable && !policy.done.some((earlier) => earlier.doubtful);
}

/** Each move is made once a turn, but for waiting: that may be of use more than once. */
function isPermitted(move: Move, cause: Cause, failure: Failure, policy: Policy): boolean {
  const { transport, credentialIsAsked, plan } = failure;
  const isDone = (other: Move): boolean => policy.done.some((earlier) => earlier.move === other);
  switch (move) {
    case 'redial':
      if (isDone('redial')) return false;
      return (cause !== 'unauthorized' && cause !== 'forbidden') || credentialIsAsked;
    case 'resend_in_full':
      return plan === 'delta' && !isDone('resend_in_full');
    case 'fall_back':
      // Over SSE it is refused once more.
      if (cause === 'stream_refused' && policy.streams) return false;
      return transport === 'websocket' && policy.choice === 'auto' && policy.sseAble && !isDone('fall_back');
    case 'wait_for_lane':
      return transport === 'sse' && policy.lanesLeft && !isDone('wait_for_lane');
    case 'retry':
      if (!policy.retryRefusals) return false;
      // Where both ways are shut, the host is gone (A8); and a throttle that holds after a wait is none (A4).
      if (cause === 'unreachable') return !isDone('retry') && !isDone('fall_back');
      return cause !== 'throttled' || !isDone('retry');
    default:
      return true;
  }
}

/** The bounds of our own backoff, in milliseconds; it doubles between them (P27). */
const firstBackoffMs = 500;
const maxBackoffMs = 8000;

/** Before the one new dial after an edge's refusal, in milliseconds (A4). */
const throttledMs = 3000;

/** `1013`: try again later. */
const tryAgainLater = 1013;

/** What the server asks for, else our own backoff. A wait that it asks for is never shortened, and lengthened by a second at most. */
function delayBefore(
  move: Move,
  cause: Cause,
  { error }: Failure,
  { jitter, done, msLeft, retryRefusals }: Policy,
): number {
  const isLater = move === 'redial' && error.closeCode === tryAgainLater && retryRefusals;
  if (move !== 'retry' && !isLater) return 0;
  const asked = error.retryAfterMs;
  if (asked !== undefined) {
    // Jitter alone does not take a wait beyond the budget.
    const spread = asked + jitter() * Math.min(1000, Math.max(100, asked / 10));
    return asked <= msLeft ? Math.min(spread, msLeft) : asked;
  }
  if (cause === 'throttled') return throttledMs + jitter() * 1000;
  const earlier = done.filter(({ move: one }) => one === 'retry').length;
  return Math.min(maxBackoffMs, firstBackoffMs * 2 ** earlier) * (0.75 + jitter() / 4);
}
