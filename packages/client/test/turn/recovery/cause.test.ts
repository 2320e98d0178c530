// What each failure is taken for: the tables of docs/reliability.md, and G1–G3, read by hand.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnwireError } from '../../../dist/protocol/errors/errors.js';
import { errorCodes } from '../../../dist/protocol/errors/error-codes.js';
import { causeOf, chainLost } from '../../../dist/turn/recovery/cause.js';
import { apiError, certificate, closed, cut, dialFailed, dialTimeout, endOfBody, pongLost } from './failures.js';
import { refusal, upgrade } from './failures.js';
import type { FailureCause } from '../../../dist/protocol/errors/failure-table.js';

const cases: readonly [row: string, error: TurnwireError, cause: FailureCause][] = [
  ['A8', dialFailed, 'unreachable'],
  ['A9', certificate, 'final'],
  ['A6', dialTimeout, 'no_answer'],
  ...[200, 204, 404, 405, 426, 501].map((status): [string, TurnwireError, FailureCause] => [
    `A1, upgrade ${status}`,
    upgrade(status, apiError),
    'unsupported',
  ]),
  ['A1, upgrade 400 without JSON', upgrade(400, '<h1>Bad Request</h1>'), 'unsupported'],
  ['upgrade 400 with JSON', upgrade(400, apiError), 'refused_upgrade'],
  ['upgrade 422', upgrade(422), 'refused_upgrade'],
  ['upgrade 429 for a spent quota', upgrade(429, { error: { code: 'insufficient_quota' } }), 'final'],
  ['A3, upgrade 401', upgrade(401, apiError), 'unauthorized'],
  ['upgrade 402', upgrade(402), 'final'],
  ['A11, upgrade 407', upgrade(407), 'final'],
  ...[301, 302, 307, 308].map((status): [string, TurnwireError, FailureCause] => [
    `N2, upgrade ${status}`,
    upgrade(status),
    'final',
  ]),
  ['A4, upgrade 403 with JSON', upgrade(403, apiError), 'forbidden'],
  ['A4, upgrade 403 with HTML', upgrade(403, '<html>'), 'throttled'],
  ['A4, upgrade 403 without a body', upgrade(403), 'throttled'],
  ['A4, upgrade 403 marked by the edge', upgrade(403, apiError, { 'cf-mitigated': 'challenge' }), 'throttled'],
  ...[408, 409, 425, 429, 500, 502, 503, 504, 529].map((status): [string, TurnwireError, FailureCause] => [
    `A5, upgrade ${status}`,
    upgrade(status, apiError),
    'unavailable',
  ]),
  ...[1001, 1005, 1006, 1011, 1012, 1013, 1015].map((code): [string, TurnwireError, FailureCause] => [
    `P91, close ${code}`,
    closed(code),
    'broken',
  ]),
  ['RST over SSE', cut, 'broken'],
  ['P24, the end of an SSE body', endOfBody, 'closed'],
  ['a pong that never came', pongLost, 'pong_lost'],
  ['P92', closed(1008), 'turned_away'],
  ['P92, said in a frame', refusal({ code: 'responses_websocket_disabled' }), 'turned_away'],
  ['P93, E1', closed(1009), 'too_large'],
  ['P89, C11', closed(1000), 'dismissed'],
  ['P94', closed(4402), 'final'],
  ...[1002, 1003, 1007, 1010, 3000, 4000].map((code): [string, TurnwireError, FailureCause] => [
    `close ${code}`,
    closed(code),
    'closed',
  ]),
  ['P98', refusal({ code: 'previous_response_not_found' }, 400), 'chain_lost'],
  ['P98, 404', refusal({ code: 'previous_response_not_found', param: 'previous_response_id' }, 404), 'chain_lost'],
  ['P110', refusal({ code: 'unsupported_parameter', param: 'previous_response_id' }, 400), 'chain_lost'],
  ['D13', refusal({ code: 'codex_previous_response_stale', param: 'previous_response_id' }), 'chain_lost'],
  ['D13, but not ours to read', refusal({ code: 'x', param: 'previous_response_id' }, 429), 'busy'],
  ['P99', refusal({ type: 'invalid_request_error', code: 'websocket_connection_limit_reached' }, 400), 'age_limit'],
  ['P100', refusal({ code: 'invalid_stream_id' }, 400), 'lanes_refused'],
  ['P101', refusal({ code: 'websocket_stream_limit_reached' }, 400), 'lanes_refused'],
  ['F5', refusal({ code: 'unknown_parameter', param: 'stream_id' }, 400), 'lanes_refused'],
  ['P103', refusal({ code: 'invalid_api_key' }, 401), 'unauthorized'],
  ['P103, without a status', refusal({ code: 'invalid_api_key' }), 'unauthorized'],
  ['a 403 over SSE', refusal({ code: null }, 403), 'final'],
  ...(
    [
      ['rate_limit_exceeded', 429],
      ['rate_limit_exceeded', undefined],
      ['server_is_overloaded', 503],
      ['slow_down', undefined],
      ['upstream_unavailable', undefined],
      [null, 409],
      [null, 503],
      [null, 429],
      [null, 529],
      [null, undefined],
    ] as const
  ).map(([code, status]): [string, TurnwireError, FailureCause] => [
    `G1, ${code} ${status}`,
    refusal({ code }, status),
    'busy',
  ]),
  ...(
    [
      ['server_error', 500],
      ['server_error', undefined],
      ['stream_incomplete', 502],
      [null, 408],
      [null, 500],
      [null, 504],
      [null, 524],
    ] as const
  ).map(([code, status]): [string, TurnwireError, FailureCause] => [
    `C2, ${code} ${status}: it may have begun`,
    refusal({ code }, status),
    'given_up',
  ]),
  ...(
    [
      ['insufficient_quota', 429],
      ['usage_limit_reached', 429],
      ['context_length_exceeded', 400],
      ['content_policy_violation', undefined],
      ['invalid_prompt', undefined],
      ['invalid_encrypted_content', 400],
      ['model_not_found', 404],
      ['whatever', 400],
      [null, 413],
      [null, 422],
    ] as const
  ).map(([code, status]): [string, TurnwireError, FailureCause] => [
    `G2, ${code} ${status}`,
    refusal({ code }, status),
    'final',
  ]),
  ['G2, by type', refusal({ type: 'invalid_request_error' }), 'final'],
  ['G2, by type, with a status', refusal({ type: 'insufficient_quota' }, 429), 'final'],
  ['G2, it names a parameter', refusal({ code: 'invalid_value', param: 'temperature' }), 'final'],
  ['G1, a type that says less than its status', refusal({ type: 'invalid_request_error' }, 429), 'busy'],
  ['G1, and less than its code', refusal({ type: 'invalid_request_error', code: 'slow_down' }), 'busy'],
  ['G1, by type', refusal({ type: 'server_error' }), 'given_up'],
  ['E1, found too late', new TurnwireError('request_too_large', ''), 'too_large'],
  ['x-should-retry: false', refusal({}, 503, { 'x-should-retry': 'false' }), 'final'],
  ['x-should-retry: true', refusal({}, 400, { 'x-should-retry': 'true' }), 'busy'],
  ['B2', new TurnwireError('first_event_timeout', ''), 'unanswered'],
  ['F4', new TurnwireError('protocol_error', ''), 'unanswered'],
  ['Q5', new TurnwireError('chain_ignored', ''), 'chain_ignored'],
];
describe('cause of a failure', () => {
  for (const [row, error, cause] of cases) {
    test(`${row}: ${cause}`, () => assert.equal(causeOf(error), cause));
  }

  test('every other code is final', () => {
    const judged = new Set(cases.map(([, { code }]) => code));
    const others = errorCodes.filter((code) => !judged.has(code));
    assert.ok(others.includes('aborted') && others.includes('event_too_large') && others.includes('unread_timeout'));
    for (const code of others) assert.equal(causeOf(new TurnwireError(code, '')), 'final', code);
  });

  test('a lost chain that the caller named keeps what the server said', () => {
    const error = refusal({ code: 'previous_response_not_found', param: 'previous_response_id' }, 400);
    const told = chainLost(error);
    assert.equal(told?.code, 'chain_lost');
    assert.equal(told.status, 400);
    assert.equal(told.server?.code, 'previous_response_not_found');
    assert.equal(told.cause, error);
    assert.equal(told.retryable, false);
    assert.equal(chainLost(refusal({ code: 'rate_limit_exceeded' }, 429)), undefined);
  });
});
