import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fetchFailureOf, errorResponse } from '../../../dist/fetch/response/error-response.js';
import { TurnwireError } from '../../../dist/protocol/errors/errors.js';
import { parseServerError } from '../../../dist/protocol/errors/server-error.js';
import type { ErrorCode } from '../../../dist/protocol/errors/error-codes.js';
import type { Phase } from '../../../dist/protocol/phase.js';
import type { Attempt, TurnReport } from '../../../dist/turn/report.js';

function reportOf(...attempts: [Phase, ErrorCode][]): TurnReport {
  return {
    transport: 'websocket',
    plan: 'full',
    planReason: 'fields_changed: größe ✓',
    attempts: attempts.map(([phase, error]) => ({ phase, error }) as Attempt),
  } as unknown as TurnReport;
}

function refusedBy(raw: unknown): TurnwireError {
  const server = parseServerError(raw);
  return new TurnwireError('request_refused', 'refused', { phase: 'sent', status: server.status, server });
}

async function answerTo(raw: unknown): Promise<{ status: number; body: unknown; headers: Headers }> {
  const error = refusedBy(raw);
  const report = reportOf(['sent', 'request_refused']);
  const failure = fetchFailureOf(error, report);
  assert(failure.name === 'refused');
  const response = errorResponse(error, failure, report, 'http://localhost/v1/responses');
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const inner = { type: 'invalid_request_error', code: 'c', message: 'No.', param: null };

describe('error response', () => {
  for (const [shape, raw, status, body] of [
    [
      'nested (P61)',
      { type: 'error', status: 400, sequence_number: 3, stream_id: 'a', error: inner },
      400,
      { error: inner },
    ],
    [
      'flat (P63)',
      { type: 'error', code: 'rate_limit_exceeded', message: 'Slow.', param: null, sequence_number: 1 },
      429,
      { error: { code: 'rate_limit_exceeded', message: 'Slow.', param: null } },
    ],
    ['with status_code', { type: 'error', status_code: 503, error: inner }, 503, { error: inner }],
    ['without a type (P12)', { error: inner, status: 403 }, 403, { error: inner, status: 403 }],
    [
      'an HTTP body (P27)',
      { error: { message: 'No.', type: 'authentication_error' } },
      401,
      { error: { message: 'No.', type: 'authentication_error' } },
    ],
    ['a string', { type: 'error', error: 'No.' }, 500, { error: 'No.' }],
    [
      'about a parameter',
      { type: 'error', error: { message: 'No.', param: 'input' } },
      400,
      { error: { message: 'No.', param: 'input' } },
    ],
  ] as const) {
    test(`P62: an error ${shape} is a status and a body`, async () => {
      const answer = await answerTo(raw);
      assert.equal(answer.status, status);
      assert.deepEqual(answer.body, body);
      // A field's name is no reason to fail.
      assert.equal(answer.headers.get('x-turnwire-plan-reason'), null);
    });
  }

  for (const [where, error, headers] of [
    ['its headers', { ...inner, headers: { 'Retry-After': 7 } }, { 'retry-after': '7' }],
    ['milliseconds', { ...inner, headers: { 'retry-after-ms': '1500' } }, { 'retry-after-ms': '1500' }],
    ['a field', { ...inner, resets_in_seconds: 2.2 }, { 'retry-after': '3', 'retry-after-ms': '2200' }],
    ['its words', { ...inner, message: 'Please try again in 1.5s.' }, { 'retry-after': '2', 'retry-after-ms': '1500' }],
  ] as const) {
    test(`G3: when to come back is told, where the server says it in ${where}`, async () => {
      const answer = await answerTo({ type: 'error', status: 429, error });
      for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers.get(name), value);
    });
  }

  test('headers of a connection, and cookies, are not those of an answer', async () => {
    const all = {
      'content-length': '9',
      'transfer-encoding': 'chunked',
      'set-cookie': 'a=b',
      'x-ratelimit-limit': '5',
      'b a d': 'x',
    };
    const { headers } = await answerTo({ type: 'error', status: 429, error: inner, headers: all });
    assert.deepEqual([...headers.keys()].filter((name) => !name.startsWith('x-turnwire-')).sort(), [
      'content-type',
      'x-ratelimit-limit',
    ]);
  });

  for (const [attempts, code, expected] of [
    [[['queued', 'dial_failed']], 'dial_failed', 'not_sent'],
    [[['sending', 'connection_lost']], 'connection_lost', 'not_sent'],
    [[['queued', 'proxy_failed']], 'proxy_failed', 'not_sent'],
    // TLS has refused the client's certificate, after all was written.
    [[['sent', 'dial_failed']], 'dial_failed', 'not_sent'],
    [[['sent', 'connection_lost']], 'connection_lost', 'unknown'],
    [[['sent', 'first_event_timeout']], 'first_event_timeout', 'unknown'],
    [[['sent', 'protocol_error']], 'protocol_error', 'unknown'],
    [[['created', 'connection_lost']], 'connection_lost', 'unknown'],
    // The first one may have run, whatever became of the second.
    [
      [
        ['sent', 'connection_lost'],
        ['sent', 'request_refused'],
      ],
      'request_refused',
      'unknown',
    ],
    [
      [
        ['sent', 'connection_lost'],
        ['queued', 'dial_failed'],
      ],
      'dial_failed',
      'unknown',
    ],
    [
      [
        ['queued', 'upgrade_refused'],
        ['sent', 'request_refused'],
      ],
      'request_refused',
      'refused',
    ],
    [[], 'request_too_large', 'refused'],
    [[], 'invalid_request', 'refused'],
    [[], 'client_closed', 'not_sent'],
  ] as [[Phase, ErrorCode][], ErrorCode, string][]) {
    test(`${code} after ${attempts.map((attempt) => attempt.join(' ')).join(', then ') || 'nothing'} is ${expected}`, () => {
      const server = parseServerError({ error: inner }, { status: 400 });
      const error = new TurnwireError(code, 'why', code === 'request_refused' ? { server } : {});
      assert.equal(fetchFailureOf(error, reportOf(...attempts)).name, expected);
    });
  }

  test('a status below 400 is no answer to a turn', () => {
    for (const status of [101, 200, 304, 307]) {
      const server = parseServerError('', { status });
      const error = new TurnwireError('upgrade_refused', 'why', { status, server });
      assert.equal(fetchFailureOf(error, reportOf(['queued', 'upgrade_refused'])).name, 'not_sent');
    }
  });
});
