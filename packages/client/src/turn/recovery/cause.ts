import { closeMeaningOf } from '../../protocol/errors/close-codes.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { serverRetryAdvice, isThrottle } from '../../protocol/errors/failure.js';
import { failureTable, serverCodes } from '../../protocol/errors/failure-table.js';
import { MissingPongError } from '../../protocol/errors/missing-pong.js';
import type { FailureCause } from '../../protocol/errors/failure-table.js';
import type { FailureKind } from '../../protocol/errors/failure-kind.js';

/** The cause of any error. An error that is not understood is `final`, unless the server gave no reason at all. */
export function causeOf(error: TurnwireError): FailureCause {
  switch (error.code) {
    case 'dial_failed':
      // A certificate or a name that does not exist is the same for both transports (A8, A9).
      return error.transient ? 'unreachable' : 'final';
    case 'dial_timeout':
      return 'no_answer';
    case 'upgrade_refused':
      return causeOfUpgrade(error);
    case 'connection_lost':
      return causeOfClosure(error);
    case 'first_event_timeout':
      return 'unanswered';
    case 'protocol_error':
      return error.kind === 'protocol' ? 'unanswered' : 'final';
    case 'chain_ignored':
      return 'chain_ignored';
    case 'request_too_large':
      return 'too_large';
    case 'request_refused':
      return causeOfRefusal(error);
    default:
      return 'final';
  }
}

/** The error for a caller that named a response which the server does not hold any more: only the caller has the full history. */
export function chainLost(error: TurnwireError): TurnwireError | undefined {
  if (causeOf(error) !== 'chain_lost') return undefined;
  return new TurnwireError(
    'chain_lost',
    'the response named by previous_response_id is not known to the server any more: send the full input without it',
    {
      phase: error.phase,
      status: error.status,
      server: error.server,
      cause: error,
    },
  );
}

/** Kinds of refusal that may be about the `previous_response_id` of a delta. */
const chainKinds: ReadonlySet<FailureKind> = new Set(['invalid_request', 'not_found', 'unknown']);

/** Words of servers for a response that they do not hold or cannot continue, and for a tool call that is unknown without that response. */
const chainWords =
  /previous.?response|conversation|history|\bstate\b|_state\b|\b(?:tool|function).?call\b|\bcall_|not.?found|no longer|unknown response/i;

/**
 * Whether the refusal of a delta may be about its `previous_response_id`. Servers have many words for that refusal; the caller has given the full input, so a
 * full resend gives the right answer. A refusal that names another field, has a known code, or speaks of something else would only be repeated.
 */
export function mayRefuseChain({ code, kind, server }: TurnwireError): boolean {
  if (code !== 'request_refused' || !chainKinds.has(kind) || serverCodes.has(server?.code ?? '')) return false;
  if (server?.param === 'previous_response_id') return true;
  if (server?.param !== undefined && !/^input\b/.test(server.param)) return false;
  return chainWords.test(`${server?.code} ${server?.message}`);
}

function causeOfUpgrade({ status, kind, server }: TurnwireError): FailureCause {
  // A throttle is waited for longer than a server that names its load.
  return isThrottle(status, server) ? 'throttled' : failureTable[kind].upgrade;
}

function causeOfClosure({ closeCode, cause }: TurnwireError): FailureCause {
  if (cause instanceof MissingPongError) return 'pong_lost';
  // SSE has no close codes: an error of its connection says that it broke.
  if (closeCode === undefined) return cause === undefined ? 'closed' : 'broken';
  return closeMeaningOf(closeCode).cause;
}

function causeOfRefusal({ kind, server, transient, status }: TurnwireError): FailureCause {
  if (isThrottle(status, server)) return 'throttled';
  if (server?.param === 'stream' && kind === 'unsupported') return 'stream_refused';
  const cause = failureTable[kind].refusal;
  if (cause !== 'busy' && cause !== 'given_up' && cause !== 'final') return cause;
  // A server that allows a retry has not begun the turn.
  if (serverRetryAdvice(server) === true) return 'busy';
  return transient ? cause : 'final';
}

/** The innermost cause of an error; the error itself if it has none. */
export function rootCause(error: Error): Error {
  let last = error;
  while (last.cause instanceof Error) last = last.cause;
  return last;
}
