// F1: what servers say when something fails, in every shape that was seen; and what must come of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parseServerError } from '../../dist/protocol/errors/server-error.js';

interface Expected {
  status?: number;
  code?: string;
  type?: string;
  message?: string;
  param?: string;
  headers?: Record<string, string>;
}

const nothing = 'the server gave no reason';
const shapes: readonly [raw: unknown, expected: Expected][] = [
  [
    { type: 'error', status: 400, error: { type: 't', code: 'c', message: 'm', param: 'p' } },
    { status: 400, type: 't', code: 'c', message: 'm', param: 'p' },
  ],
  [
    { type: 'error', status: 429, error: { code: 'c', message: 'm', headers: { 'Retry-After': 2 } } },
    { status: 429, code: 'c', message: 'm', headers: { 'retry-after': '2' } },
  ],
  [
    { type: 'error', code: 'c', message: 'm', param: 'p', sequence_number: 3 },
    { code: 'c', message: 'm', param: 'p' },
  ],
  [
    { type: 'error', status_code: 503, error: { message: 'm' } },
    { status: 503, message: 'm' },
  ],
  [
    { type: 'error', status: '429', error: { message: 'm' } },
    { status: 429, message: 'm' },
  ],
  [
    { type: 'error', error: { message: 'm', code: 429 } },
    { status: 429, code: '429', message: 'm' },
  ],
  [
    { type: 'error', error: { message: 'm', code: 7 } },
    { code: '7', message: 'm' },
  ],
  [
    { type: 'error', error: { message: 'm', status: 401 } },
    { status: 401, message: 'm' },
  ],
  [{ type: 'error', error: 'just text' }, { message: 'just text' }],
  [{ type: 'error', error: null }, { message: nothing }],
  [{ type: 'error' }, { message: nothing }],
  [{ type: 'error', error: {} }, { message: nothing }],
  [{ type: 'error', error: [] }, { message: nothing }],
  [
    { type: 'error', error: { code: 42, message: 'm' } },
    { code: '42', message: 'm' },
  ],
  [{ type: 'error', error: { code: null, message: 'm', param: null } }, { message: 'm' }],
  [
    { type: 'error', code: 'outer', error: { message: 'm' } },
    { code: 'outer', message: 'm' },
  ],
  [{ type: 'error', error: {}, message: 'outer' }, { message: 'outer' }],
  [
    { type: 'error', headers: { A: '1', b: 2, c: null }, error: { message: 'm' } },
    { message: 'm', headers: { a: '1', b: '2' } },
  ],
  [
    { error: { message: 'm', code: 'c' }, copilot_quota_snapshots: {} },
    { message: 'm', code: 'c' },
  ],
  [
    { type: 'response.failed', response: { id: 'r', error: { code: 'c', message: 'm' } } },
    { code: 'c', message: 'm' },
  ],
  [
    { type: 'response.failed', response: { id: 'r', error: null } },
    { type: 'response.failed', message: nothing },
  ],
  [
    { error: { message: 'm', type: 'invalid_request_error', param: null, code: null } },
    { message: 'm', type: 'invalid_request_error' },
  ],
  [{ detail: 'Not Found' }, { message: 'Not Found' }],
  ['plain text', { message: 'plain text' }],
  ['', { message: nothing }],
  [null, { message: nothing }],
  [5, { message: nothing }],
  [[], { message: nothing }],
  [{ type: 'error', status: 0, error: { message: 'm' } }, { message: 'm' }],
  [{ type: 'error', status: 4.5, error: { message: 'm' } }, { message: 'm' }],
  [{ type: 'error', error: { message: 'm', headers: { 'Set-Cookie': 'a=b' } } }, { message: 'm' }],
  [
    { type: 'error', error: { message: 'a\u001b[2J\r\nb', code: 'c\n' } },
    { message: 'a [2J b', code: 'c' },
  ],
];

describe('error of a server', () => {
  for (const [raw, expected] of shapes) {
    test(JSON.stringify(raw), () => {
      const { status, code, type, message, param, headers, raw: kept } = parseServerError(raw);
      assert.deepEqual(
        { status, code, type, message, param, headers },
        {
          status: undefined,
          code: undefined,
          type: undefined,
          message: '',
          param: undefined,
          headers: {},
          ...expected,
        },
      );
      assert.equal(kept, raw);
    });
  }

  test('the answer around it fills in what it does not say', () => {
    const found = parseServerError(
      { error: { message: 'm' } },
      { status: 418, headers: { 'x-request-id': 'r', 'set-cookie': 's' } },
    );
    assert.equal(found.status, 418);
    assert.deepEqual(found.headers, { 'x-request-id': 'r' });
  });

  test('a message of 2 MB is cut', () => {
    const { message, code } = parseServerError({ error: { message: 'x'.repeat(2e6), code: 'y'.repeat(2e6) } });
    assert.ok(message.length < 2100);
    assert.ok((code ?? '').length < 2100);
  });

  test('no JSON whatever makes it throw, and there is always a message', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (raw) => {
        assert.ok(parseServerError(raw).message.length > 0 || raw === ' ' || typeof raw !== 'object');
      }),
    );
  });
});
