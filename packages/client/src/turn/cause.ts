import { normalClosure, refusingClosures, transientClosures } from '../protocol/close-codes.js';
import { TurnwireError } from '../protocol/errors.js';
import { PongLost } from '../protocol/pong-lost.js';
import type { ServerError } from '../protocol/server-error.js';

/** Why an attempt failed, as far as the decision needs it. */
export type Cause =
  /** No connection, for a reason that may pass: TCP, TLS, a name server that did not answer. */
  | 'unreachable'
  /** No connection in time. */
  | 'no_answer'
  /** The upgrade was answered by a status that says: no WebSocket here (A1). */
  | 'unsupported'
  /** The upgrade was answered by a status that another way may not get. */
  | 'refused_upgrade'
  /** 403 with a JSON error: the API itself said no. */
  | 'forbidden'
  /** 403 with a page, an empty body, or the mark of an edge network: too many dials, as a rule (A4). */
  | 'throttled'
  /** The upgrade was answered by a status that says: not now (A5). */
  | 'unavailable'
  /** 401: not with this credential (A3). */
  | 'unauthorized'
  /** The connection ended by itself, or with a close code that says nothing of the request (P90, P91). */
  | 'broken'
  /** The peer did not answer pings any more. */
  | 'pong_lost'
  /** The server closed it with the code for a request that it does not take over a WebSocket (P92, P93). */
  | 'turned_away'
  /** The same, probably: it closed it in good order, and without a word (P89). */
  | 'dismissed'
  /** The server closed it with a code of its own. */
  | 'closed'
  /** The request was sent, and no event came within the limits, or none that makes sense: over a connection that lives. */
  | 'unanswered'
  /** `websocket_connection_limit_reached`: too old; the turn has not begun (P99). */
  | 'age_limit'
  /** The server, or something before it, takes no `stream_id`, or no further one (P100, P101, F5). */
  | 'lanes_refused'
  /** This caller may not stream this model (Q6). */
  | 'stream_refused'
  /** The response that was to be continued is not known there (P98, P110, D13). */
  | 'chain_lost'
  /** The server refused the turn for a reason that passes: 429, 5xx, overload (P104, P105). */
  | 'busy'
  /**
   * The server, or a gateway before it, gave the turn up (408, and 5xx except 503 and 529): it may have begun it, and what it cost is spent.
   */
  | 'given_up'
  /** What is left to be sent has grown beyond one frame: the delta that was planned has lost its chain (E1). */
  | 'too_large'
  /** Trying again changes nothing, or is not ours to try. */
  | 'final';

/** Total: what is not understood is `final`, except where the server gave no reason at all. */
export function causeOf(error: TurnwireError): Cause {
  switch (error.code) {
    case 'dial_failed':
      // A certificate or a name that does not exist is the same for both transports (A8, A9).
      return error.retryable ? 'unreachable' : 'final';
    case 'dial_timeout':
      return 'no_answer';
    case 'upgrade_refused':
      return causeOfUpgrade(error);
    case 'connection_lost':
      return causeOfClosure(error);
    case 'first_event_timeout':
    case 'protocol_error':
      return 'unanswered';
    case 'request_too_large':
      return 'too_large';
    case 'request_refused':
      return causeOfRefusal(error.server, error.status);
    default:
      return 'final';
  }
}

/** What the server holds no more is told by name, and not as one more refusal: only the caller has its full history. */
export function chainLost(error: TurnwireError): TurnwireError {
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

const noWebSocket: ReadonlySet<number> = new Set([404, 405, 426, 501]);

function causeOfUpgrade({ status = 0, server }: TurnwireError): Cause {
  const isJson = typeof server?.raw === 'object' && server.raw !== null;
  if (noWebSocket.has(status) || (status >= 200 && status < 300) || (status === 400 && !isJson)) return 'unsupported';
  if (status === 401) return 'unauthorized';
  if (status === 403) return isJson && server.headers['cf-mitigated'] === undefined ? 'forbidden' : 'throttled';
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'unavailable';
  // A redirect would carry the key elsewhere (N2); 402 says the same over SSE, and so does a proxy.
  if (status === 402 || status === 407 || (status >= 300 && status < 400)) return 'final';
  return 'refused_upgrade';
}

/** No credits left: the same over SSE (P94). */
const noCredits = 4402;

function causeOfClosure({ closeCode, cause }: TurnwireError): Cause {
  if (cause instanceof PongLost) return 'pong_lost';
  // SSE has no close codes: an error of its connection says that it broke.
  if (closeCode === undefined) return cause === undefined ? 'closed' : 'broken';
  if (transientClosures.has(closeCode)) return 'broken';
  if (refusingClosures.has(closeCode)) return 'turned_away';
  if (closeCode === noCredits) return 'final';
  return closeCode === normalClosure ? 'dismissed' : 'closed';
}

/**
 * Codes and types after which the same request fails again (G1, G2). Everything else is judged by its status; a refusal that has none
 * may pass.
 */
const finalCodes: ReadonlySet<string> = new Set([
  'account_deactivated',
  'authentication_error',
  'billing_hard_limit_reached',
  'content_policy_violation',
  'context_length_exceeded',
  'cyber_policy',
  'cyber_policy_violation',
  'insufficient_quota',
  'invalid_api_key',
  'invalid_encrypted_content',
  'invalid_prompt',
  'model_not_found',
  'permission_error',
  'unsupported_parameter',
  'unsupported_value',
  'usage_limit_reached',
  'usage_not_included',
]);

/** Codes that say by themselves: not now. */
const busyCodes: ReadonlySet<string> = new Set([
  'overloaded_error',
  'rate_limit_error',
  'rate_limit_exceeded',
  'server_is_overloaded',
  'slow_down',
]);

const laneCodes: ReadonlySet<string> = new Set(['invalid_stream_id', 'websocket_stream_limit_reached']);

function causeOfRefusal(server: ServerError | undefined, status: number | undefined): Cause {
  const { code = '', type = '', param, headers = {} } = server ?? {};
  if (code === 'websocket_connection_limit_reached') return 'age_limit';
  if (laneCodes.has(code) || (param === 'stream_id' && isAboutTheRequest(status))) return 'lanes_refused';
  if (code === 'previous_response_not_found') return 'chain_lost';
  if (param === 'previous_response_id' && isAboutTheRequest(status)) return 'chain_lost';
  if (param === 'stream' && isFinalStatus(status)) return 'stream_refused';
  if (status === 401 || (status === undefined && code === 'invalid_api_key')) return 'unauthorized';
  // The narrower word first: a rate limit may come with the type of an invalid request, a spent quota with the status of a rate limit.
  if (finalCodes.has(code)) return 'final';
  if (headers['x-should-retry'] === 'false') return 'final';
  if (busyCodes.has(code) || headers['x-should-retry'] === 'true') return 'busy';
  if (isGivenUp(status) || code === 'server_error') return 'given_up';
  if (finalCodes.has(type)) return 'final';
  if (status !== undefined) return isPassing(status) ? 'busy' : 'final';
  if (type === 'server_error') return 'given_up';
  if (busyCodes.has(type)) return 'busy';
  // Who names a parameter speaks of the request.
  return code === generic || type === generic || param !== undefined ? 'final' : 'busy';
}

/** What a server or a gateway says that has begun, or may have. 503 and 529 say that it has not. */
function isGivenUp(status: number | undefined): boolean {
  return status === 408 || (status !== undefined && status >= 500 && status !== 503 && status !== 529);
}

/** Says little: some servers give a rate limit this type. A status that passes is the more certain word. */
const generic = 'invalid_request_error';

function isPassing(status: number): boolean {
  return status === 409 || status === 425 || status === 429 || status === 503 || status === 529;
}

function isFinalStatus(status: number | undefined): boolean {
  return status === undefined || (status >= 400 && status < 500) || status === 501;
}

function isAboutTheRequest(status: number | undefined): boolean {
  return status === undefined || status === 400 || status === 404 || status === 409 || status === 410 || status === 422;
}
