import type { ErrorCode } from './error-codes.js';
import type { FailureKind } from './failure-kind.js';

/** Why an attempt failed, as far as recovery must know it: the rows of `recoveryTable`. */
export type FailureCause =
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
  /** The server does not take the request over a WebSocket: it closed the connection with the code for that (P92), or refused the turn so. */
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
  /** The server takes the id of the response that was to be continued, and ignores it: it answers to another input (Q5). */
  | 'chain_ignored'
  /** The server refused the turn for a reason that passes: 429, overload (P104, P105). */
  | 'busy'
  /** The server, or a gateway before it, gave the turn up: it may have begun it, and what it cost is spent. */
  | 'given_up'
  /** What is to be sent is larger than a frame may be, found before it was sent (E1) or by close code 1009 (P93). */
  | 'too_large'
  /** Trying again changes nothing, or is not ours to try. */
  | 'final';

export interface FailureMeaning {
  /** The cause may pass by itself: the same turn can succeed later. */
  transient: boolean;
  /** A server that refuses a turn with this may have begun it. */
  mayHaveBegun: boolean;
  /**
   * The HTTP status of a refusal that names none: SDKs repeat what may pass, and nothing else but a spent quota. undefined for what no server's word
   * leads to.
   */
  status: number | undefined;
  /** What recovery takes it for, where the turn was refused by it. */
  refusal: FailureCause;
  /** What recovery takes it for, where the upgrade was refused by it. */
  upgrade: FailureCause;
  /** Something counts the upgrades: after one that was refused by it the next ones are spread (A4, H9). */
  slowsDials?: true;
}

const transientFailure = { transient: true, mayHaveBegun: false } as const;
const permanentFailure = { transient: false, mayHaveBegun: false } as const;
const clientFailure = { status: undefined, refusal: 'final', upgrade: 'final' } as const;

/**
 * What each kind of failure means. `TurnwireError.retryable`, recovery, the breaker, the statuses of `createFetch` and the retries of agents
 * come from here.
 */
export const failureTable: Readonly<Record<FailureKind, FailureMeaning>> = {
  aborted: { ...permanentFailure, ...clientFailure },
  misuse: { ...permanentFailure, ...clientFailure },
  auth: { ...permanentFailure, status: 401, refusal: 'unauthorized', upgrade: 'unauthorized' },
  permission: { ...permanentFailure, status: 403, refusal: 'final', upgrade: 'forbidden' },
  quota: { ...permanentFailure, status: 429, refusal: 'final', upgrade: 'final' },
  rate_limit: { ...transientFailure, status: 429, refusal: 'busy', upgrade: 'unavailable', slowsDials: true },
  overload: { ...transientFailure, status: 503, refusal: 'busy', upgrade: 'unavailable' },
  conflict: { ...transientFailure, status: 409, refusal: 'busy', upgrade: 'unavailable' },
  server: { transient: true, mayHaveBegun: true, status: 500, refusal: 'given_up', upgrade: 'unavailable' },
  timeout: { transient: true, mayHaveBegun: true, status: 504, refusal: 'given_up', upgrade: 'unavailable' },
  network: { ...transientFailure, ...clientFailure },
  configuration: { ...permanentFailure, ...clientFailure },
  unsupported: { ...permanentFailure, status: 400, refusal: 'turned_away', upgrade: 'unsupported' },
  not_found: { ...permanentFailure, status: 404, refusal: 'final', upgrade: 'unsupported' },
  invalid_request: { ...permanentFailure, status: 400, refusal: 'final', upgrade: 'refused_upgrade' },
  context_length: { ...permanentFailure, status: 400, refusal: 'final', upgrade: 'refused_upgrade' },
  too_large: { ...permanentFailure, status: 413, refusal: 'final', upgrade: 'refused_upgrade' },
  content_policy: { ...permanentFailure, status: 400, refusal: 'final', upgrade: 'refused_upgrade' },
  chain_lost: { ...permanentFailure, status: 400, refusal: 'chain_lost', upgrade: 'refused_upgrade' },
  connection_limit: { ...transientFailure, status: 503, refusal: 'age_limit', upgrade: 'unavailable' },
  lanes: { ...transientFailure, status: 503, refusal: 'lanes_refused', upgrade: 'refused_upgrade' },
  protocol: { ...transientFailure, ...clientFailure },
  cancelled: { ...permanentFailure, ...clientFailure },
  unknown: { ...transientFailure, status: 500, refusal: 'busy', upgrade: 'refused_upgrade' },
};

/**
 * What servers call it, in `code` or in `type`, and what it is: a code that stands here counts more than the status beside it. A rate limit comes
 * with the type of an invalid request, a spent quota with the status of a rate limit (G1, G2).
 */
export const serverCodes: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    auth: ['account_deactivated', 'authentication_error', 'invalid_api_key', 'token_expired'],
    permission: ['permission_denied', 'permission_error', 'unsupported_country_region_territory'],
    quota: [
      'billing_error',
      'billing_hard_limit_reached',
      'insufficient_quota',
      'usage_limit_reached',
      'usage_not_included',
    ],
    rate_limit: ['rate_limit_error', 'rate_limit_exceeded', 'too_many_requests'],
    overload: ['overloaded_error', 'server_is_overloaded', 'service_unavailable', 'slow_down'],
    conflict: ['response_already_in_flight'],
    server: ['internal_server_error', 'server_error'],
    timeout: ['vector_store_timeout'],
    unsupported: ['responses_websocket_disabled'],
    not_found: ['model_not_found', 'not_found_error'],
    invalid_request: [
      'data_residency_mismatch',
      'empty_image_file',
      'failed_to_download_image',
      'image_file_not_found',
      'image_parse_error',
      'image_too_small',
      'invalid_encrypted_content',
      'model_mismatch',
      'unknown_parameter',
      'unsupported_parameter',
      'unsupported_value',
    ],
    context_length: ['context_length_exceeded', 'exceed_context_size_error'],
    too_large: ['image_file_too_large', 'image_too_large', 'request_too_large'],
    content_policy: [
      'bio_policy',
      'content_policy_violation',
      'cyber_policy',
      'cyber_policy_violation',
      'image_content_policy_violation',
      'invalid_prompt',
      'misalignment_policy_violation',
    ],
    chain_lost: ['previous_response_not_found'],
    connection_limit: ['websocket_connection_limit_reached'],
    lanes: ['invalid_stream_id', 'websocket_stream_limit_reached'],
  } satisfies Partial<Record<FailureKind, readonly string[]>>).flatMap(([kind, codes]) =>
    codes.map((code) => [code, kind as FailureKind] as const),
  ),
);

/** Types that say less than a status: some servers give a rate limit the type of an invalid request. */
export const vagueTypes: ReadonlyMap<string, FailureKind> = new Map([
  ['api_error', 'server'],
  ['invalid_request_error', 'invalid_request'],
  ['server_error', 'server'],
]);

/**
 * Words in codes and types that no list has, in snake case. `narrow` ones count more than a status, since they say which of its meanings is
 * meant; the others only where there is none.
 */
export const serverWords: readonly { words: RegExp; kind: FailureKind; narrow?: true }[] = [
  { words: /context_?(length|window|size)|prompt_too_long/, kind: 'context_length', narrow: true },
  { words: /quota|billing|credit|payment|balance|usage_limit/, kind: 'quota', narrow: true },
  { words: /policy|moderation|content_filter/, kind: 'content_policy', narrow: true },
  { words: /api_?key|authenticat|unauthorized/, kind: 'auth' },
  { words: /permission|forbidden|access_denied/, kind: 'permission' },
  { words: /rate_?limit|too_many_requests|throttl/, kind: 'rate_limit' },
  { words: /overload|capacity|unavailable|slow_down/, kind: 'overload' },
  { words: /in_flight|conflict/, kind: 'conflict' },
  { words: /time_?out|timed_out/, kind: 'timeout' },
  { words: /internal|server_error|bad_gateway/, kind: 'server' },
  { words: /too_(large|big|long)/, kind: 'too_large' },
  { words: /not_?found|does_not_exist/, kind: 'not_found' },
  { words: /^(invalid|unsupported|unknown|missing|malformed|bad)_/, kind: 'invalid_request' },
];

/** Sentences of servers that have no code for a full context window. They count where a request was found wrong, or nothing else is said. */
export const contextSentence =
  /context (?:length|window|size)|maximum context|too many tokens|(?:prompt|input) is too long|exceeds? the (?:model's )?(?:available )?(?:context|token)|token limit/i;

/** HTTP statuses; the first row that fits counts. */
export const statusKinds: readonly [from: number, to: number, kind: FailureKind][] = [
  [100, 299, 'unsupported'],
  // A redirect would carry the key elsewhere (N2).
  [300, 399, 'configuration'],
  [401, 401, 'auth'],
  [402, 402, 'quota'],
  [403, 403, 'permission'],
  [404, 404, 'not_found'],
  [405, 405, 'unsupported'],
  [407, 407, 'configuration'],
  [408, 408, 'timeout'],
  [409, 409, 'conflict'],
  [413, 413, 'too_large'],
  [425, 425, 'overload'],
  [426, 426, 'unsupported'],
  [429, 429, 'rate_limit'],
  [431, 431, 'too_large'],
  [400, 499, 'invalid_request'],
  [501, 501, 'unsupported'],
  // These two say that the server has not begun; of what the other ones of 5xx say that is not known.
  [503, 503, 'overload'],
  [504, 504, 'timeout'],
  [524, 524, 'timeout'],
  [529, 529, 'overload'],
  [500, 599, 'server'],
];

export interface CodeMeaning {
  /** `server`: as the server's words say; `closure`: as the close code says. */
  kind: FailureKind | 'server' | 'closure';
  /**
   * Whether the server can have run the turn by then: `never`; only once all of the request was `sent`, whatever became of it; or, after a refusal,
   * as its kind says.
   */
  ran: 'never' | 'sent' | 'as_kind';
  /** Only where it differs from the kind's. */
  transient?: false;
}

/** What each code of this library means. */
export const codeTable: Readonly<Record<ErrorCode, CodeMeaning>> = {
  aborted: { kind: 'aborted', ran: 'sent' },
  // It has run, with another input.
  chain_ignored: { kind: 'unsupported', ran: 'sent' },
  chain_lost: { kind: 'chain_lost', ran: 'never' },
  client_closed: { kind: 'aborted', ran: 'sent' },
  connection_lost: { kind: 'closure', ran: 'sent' },
  credential_failed: { kind: 'auth', ran: 'never' },
  dial_failed: { kind: 'network', ran: 'never' },
  dial_timeout: { kind: 'timeout', ran: 'never' },
  // The answer would be as large again.
  event_too_large: { kind: 'protocol', ran: 'sent', transient: false },
  first_event_timeout: { kind: 'timeout', ran: 'sent' },
  idle_timeout: { kind: 'timeout', ran: 'sent' },
  invalid_option: { kind: 'misuse', ran: 'never' },
  invalid_request: { kind: 'invalid_request', ran: 'never' },
  missing_api_key: { kind: 'auth', ran: 'never' },
  protocol_error: { kind: 'protocol', ran: 'sent' },
  proxy_failed: { kind: 'network', ran: 'never' },
  queue_timeout: { kind: 'timeout', ran: 'never' },
  request_refused: { kind: 'server', ran: 'as_kind' },
  request_too_large: { kind: 'too_large', ran: 'never' },
  response_cancelled: { kind: 'cancelled', ran: 'sent' },
  response_failed: { kind: 'server', ran: 'sent' },
  successor_timeout: { kind: 'timeout', ran: 'sent' },
  turn_already_read: { kind: 'misuse', ran: 'sent' },
  unread_overflow: { kind: 'misuse', ran: 'sent' },
  unread_timeout: { kind: 'misuse', ran: 'sent' },
  upgrade_refused: { kind: 'server', ran: 'never' },
};
