// What a failure means to a program, read by hand from the sources: OpenAI's error codes, the statuses of RFC 9110, what gateways send.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnwireError, addTurnContext } from '../../dist/protocol/errors/errors.js';
import { errorCodes } from '../../dist/protocol/errors/error-codes.js';
import { closeCodeTable } from '../../dist/protocol/errors/close-codes.js';
import { codeTable, failureTable, serverCodes } from '../../dist/protocol/errors/failure-table.js';
import { parseServerError } from '../../dist/protocol/errors/server-error.js';
import type { ErrorCode } from '../../dist/protocol/errors/error-codes.js';
import type { Phase } from '../../dist/protocol/phase.js';
import type { FailureKind } from '../../dist/protocol/errors/failure-kind.js';

/** An `error` frame; `status` stands in it, as a server may name it. */
function refused(error: unknown, status?: number, headers: Record<string, string> = {}): TurnwireError {
  const server = parseServerError({ type: 'error', error, ...(status === undefined ? {} : { status }) }, { headers });
  return new TurnwireError('request_refused', '', { phase: 'sent', status: server.status, server });
}

describe('kind of a refusal', () => {
  const cases: readonly [error: unknown, status: number | undefined, kind: FailureKind, retryable: boolean][] = [
    [{ code: 'slow_down', message: 'Slow down.' }, undefined, 'overload', true],
    [{ code: 'slow_down' }, 503, 'overload', true],
    [{ code: 'server_is_overloaded' }, undefined, 'overload', true],
    [{ type: 'overloaded_error' }, 529, 'overload', true],
    [{ type: 'overloaded_error' }, undefined, 'overload', true],
    [{}, 529, 'overload', true],
    [{}, 503, 'overload', true],
    [{}, 425, 'overload', true],
    [{}, 409, 'conflict', true],
    [{ code: 'response_already_in_flight' }, undefined, 'conflict', true],
    [{ code: 'rate_limit_exceeded', type: 'tokens' }, 429, 'rate_limit', true],
    [{ code: 'rate_limit_exceeded', type: 'invalid_request_error' }, 400, 'rate_limit', true],
    [{ type: 'requests' }, 429, 'rate_limit', true],
    [{ type: 'RateLimitError' }, undefined, 'rate_limit', true],
    [{ code: 429, message: 'Provider returned error' }, undefined, 'rate_limit', true],
    [{ code: 'insufficient_quota', type: 'insufficient_quota' }, 429, 'quota', false],
    [{ type: 'insufficient_quota' }, 429, 'quota', false],
    [{ code: 'usage_limit_reached' }, 429, 'quota', false],
    [{ code: 'billing_hard_limit_reached' }, 400, 'quota', false],
    [{ code: 'monthly_quota_exceeded' }, 429, 'quota', false],
    [{ message: 'Insufficient credits' }, 402, 'quota', false],
    [{ code: 'invalid_api_key' }, 401, 'auth', false],
    [{ code: 'invalid_api_key' }, undefined, 'auth', false],
    [{ type: 'authentication_error' }, undefined, 'auth', false],
    [{}, 401, 'auth', false],
    [{ code: 'permission_denied' }, undefined, 'permission', false],
    [{}, 403, 'permission', false],
    [{ code: 'model_not_found' }, 400, 'not_found', false],
    [{}, 404, 'not_found', false],
    [{ code: 'context_length_exceeded' }, 400, 'context_length', false],
    [{ type: 'exceed_context_size_error', code: 400 }, undefined, 'context_length', false],
    [
      { type: 'BadRequestError', code: 400, message: "This model's maximum context length is 4096 tokens." },
      undefined,
      'context_length',
      false,
    ],
    [{ message: 'Your input exceeds the context window of this model.' }, undefined, 'context_length', false],
    [{ message: 'too many tokens per minute' }, 429, 'rate_limit', true],
    [{}, 413, 'too_large', false],
    [{ code: 'cyber_policy' }, undefined, 'content_policy', false],
    [{ code: 'invalid_prompt' }, 400, 'content_policy', false],
    [{ code: 'content_filter' }, 400, 'content_policy', false],
    [{ type: 'invalid_request_error', code: 'unknown_parameter', param: 'x' }, 400, 'invalid_request', false],
    [{ type: 'invalid_request_error' }, undefined, 'invalid_request', false],
    [{ code: 'invalid_value' }, undefined, 'invalid_request', false],
    [{ code: 'x', param: 'temperature' }, undefined, 'invalid_request', false],
    [{}, 422, 'invalid_request', false],
    [{}, 405, 'unsupported', false],
    [{}, 501, 'unsupported', false],
    [{ code: 'unsupported_value', param: 'stream' }, 400, 'unsupported', false],
    [{ code: 'previous_response_not_found', param: 'previous_response_id' }, 400, 'chain_lost', false],
    [{ code: 'unsupported_parameter', param: 'previous_response_id' }, 400, 'chain_lost', false],
    [{ code: 'codex_previous_response_stale', param: 'previous_response_id' }, undefined, 'chain_lost', false],
    [{ code: 'websocket_connection_limit_reached', type: 'invalid_request_error' }, 400, 'connection_limit', true],
    [{ code: 'websocket_stream_limit_reached', param: 'stream_id' }, 400, 'lanes', true],
    [{ code: 'invalid_stream_id', param: 'stream_id' }, 400, 'lanes', true],
    // These may have begun: asking again can run a turn twice.
    [{ code: 'server_error' }, 500, 'server', false],
    [{ code: 'server_error' }, undefined, 'server', false],
    [{}, 500, 'server', false],
    [{}, 502, 'server', false],
    [{}, 408, 'timeout', false],
    [{}, 504, 'timeout', false],
    [{}, 524, 'timeout', false],
    [{}, undefined, 'unknown', true],
    ['No.', undefined, 'unknown', true],
    [{ code: 'a_code_of_tomorrow' }, undefined, 'unknown', true],
    [{ code: 'upstream_unavailable' }, undefined, 'overload', true],
  ];
  for (const [error, status, kind, retryable] of cases)
    test(`${JSON.stringify(error)} with ${status}: ${kind}`, () => {
      const told = refused(error, status);
      assert.deepEqual([told.kind, told.retryable], [kind, retryable]);
    });

  test('x-should-retry counts more than what is not known to stay', () => {
    assert.equal(refused({}, 503, { 'x-should-retry': 'false' }).retryable, false);
    assert.equal(refused({}, 500, { 'x-should-retry': 'true' }).retryable, true);
    assert.equal(refused({}, 400, { 'x-should-retry': 'true' }).retryable, true);
    assert.equal(refused({ code: 'insufficient_quota' }, 429, { 'x-should-retry': 'true' }).retryable, false);
    assert.equal(refused({ code: 'slow_down' }, 503, { 'x-should-retry': 'false' }).retryable, false);
  });

  test('a refused upgrade was never run, whatever its status', () => {
    for (const status of [408, 429, 500, 502, 503, 504, 529])
      assert.equal(new TurnwireError('upgrade_refused', '', { status }).retryable, true, String(status));
    for (const status of [200, 302, 400, 401, 402, 404, 426, 501])
      assert.equal(new TurnwireError('upgrade_refused', '', { status }).retryable, false, String(status));
  });

  test('403 at an upgrade is the API that says no, or an edge that counts dials', () => {
    const refusedUpgrade = (raw: unknown, headers: Record<string, string> = {}): TurnwireError =>
      new TurnwireError('upgrade_refused', '', {
        status: 403,
        server: parseServerError(raw, { status: 403, headers }),
      });
    const api = refusedUpgrade({ error: { message: 'no' } });
    assert.deepEqual([api.kind, api.retryable], ['permission', false]);
    for (const edge of [
      refusedUpgrade('<html>'),
      refusedUpgrade(''),
      refusedUpgrade({ error: {} }, { 'cf-mitigated': 'challenge' }),
    ])
      assert.deepEqual([edge.kind, edge.retryable], ['rate_limit', true]);
  });
});

describe('kind of a closed connection', () => {
  const kinds: Record<number, FailureKind> = {
    1000: 'unknown',
    1001: 'network',
    1002: 'protocol',
    1006: 'network',
    1008: 'unsupported',
    1009: 'too_large',
    1011: 'server',
    1013: 'overload',
    3000: 'unknown',
    4402: 'quota',
  };
  for (const [code, kind] of Object.entries(kinds))
    test(`close ${code}: ${kind}`, () =>
      assert.equal(new TurnwireError('connection_lost', '', { closeCode: Number(code) }).kind, kind));
  test('the end of a body, which has no code: network', () =>
    assert.equal(new TurnwireError('connection_lost', '').kind, 'network'));
});

describe('retryable', () => {
  const at = (code: ErrorCode, phase: Phase): boolean =>
    addTurnContext(new TurnwireError(code, ''), phase, undefined).retryable;
  test('is true while nothing was sent, and the cause may pass', () => {
    for (const phase of ['queued', 'sending'] as const)
      for (const code of ['connection_lost', 'dial_failed', 'dial_timeout', 'queue_timeout'] as const)
        assert.equal(at(code, phase), true, `${code} ${phase}`);
    for (const code of ['aborted', 'invalid_request', 'request_too_large', 'client_closed'] as const)
      assert.equal(at(code, 'queued'), false, code);
  });
  test('is false where the server may have run the turn, or has begun it', () => {
    for (const phase of ['sent', 'created', 'visible', 'tool', 'terminal'] as const)
      for (const code of ['connection_lost', 'first_event_timeout', 'idle_timeout', 'protocol_error'] as const)
        assert.equal(at(code, phase), false, `${code} ${phase}`);
    assert.equal(at('response_failed', 'terminal'), false);
  });
  test('is never raised by what is learnt later', () => {
    const error = new TurnwireError('dial_failed', '', { retryable: false });
    assert.equal(addTurnContext(error, 'queued', undefined).retryable, false);
  });
});

describe('the tables of failures', () => {
  test('have each code once, and a kind for each', () => {
    assert.deepEqual(Object.keys(codeTable), [...errorCodes]);
    for (const [code, kind] of serverCodes) assert.ok(Object.hasOwn(failureTable, kind), code);
    for (const { kind } of Object.values(closeCodeTable)) assert.ok(Object.hasOwn(failureTable, kind));
  });
  test('have a status for whatever a server can say without one, and one that SDKs repeat where that can help', () => {
    for (const [code, kind] of serverCodes) {
      const { status = 0, transient } = failureTable[kind];
      assert.ok(status >= 400, code);
      // What openai-node repeats.
      const isRepeated = status === 408 || status === 409 || status === 429 || status >= 500;
      assert.equal(isRepeated, transient || kind === 'quota', code);
    }
  });
});
