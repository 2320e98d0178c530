// G6, N17: the caller's functions, and what they may give.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityHeadersOf } from '../../dist/network/identity-headers.js';
import { FakeClock } from '../base/fake-clock.js';
import type { IdentitySource } from '../../dist/network/identity-headers.js';

const signal = (): AbortSignal => new AbortController().signal;
function headersOf(
  source: Partial<IdentitySource>,
  clock = new FakeClock(),
  by = signal(),
): Promise<Record<string, string>> {
  return identityHeadersOf({
    dialMs: 1000,
    clock,
    apiKey: undefined,
    headers: undefined,
    organization: undefined,
    project: undefined,
    ...source,
  })(by);
}

describe('identity headers', () => {
  test('key, organization and project become headers, and the caller’s own headers win over them', async () => {
    const sent = await headersOf({
      apiKey: 'sk',
      organization: 'o',
      project: 'p',
      headers: { 'X-A': 'b', Authorization: 'mine' },
    });
    assert.deepEqual(sent, { authorization: 'mine', 'openai-organization': 'o', 'openai-project': 'p', 'x-a': 'b' });
  });

  test('functions for key and headers are asked at each dial', async () => {
    let count = 0;
    const ask = identityHeadersOf({
      dialMs: 1000,
      clock: new FakeClock(),
      apiKey: () => `key-${(count += 1)}`,
      headers: async () => ({ n: String(count) }),
      organization: undefined,
      project: undefined,
    });
    assert.equal((await ask(signal()))['authorization'], 'Bearer key-1');
    assert.equal((await ask(signal()))['n'], '2');
  });

  const wrong: readonly [string, Partial<IdentitySource>, RegExp][] = [
    [
      'throws',
      {
        apiKey: () => {
          throw new Error('sk-secret');
        },
      },
      /^apiKey: the function failed/,
    ],
    ['rejects', { headers: () => Promise.reject(new Error('x')) }, /^headers: the function failed/],
    ['gives an empty key', { apiKey: () => '' }, /^apiKey is empty$/],
    ['gives a newline', { apiKey: () => 'sk-secret\n' }, /^apiKey contains a line break/],
    [
      'gives no string',
      { apiKey: (() => undefined) as unknown as () => string },
      /^apiKey is undefined instead of a string$/,
    ],
    ['injects a header', { headers: () => ({ 'x-a': 'sk-secret\r\nx-b: c' }) }, /^headers: x-a contains characters/],
    ['gives a bad name', { headers: () => ({ 'x a': 'y' }) }, /^headers: "x a" is no header name$/],
  ];
  for (const [name, source, message] of wrong) {
    test(`a function that ${name}: credential_failed, without the value`, async () => {
      await assert.rejects(
        headersOf(source),
        (error: Error & { code?: string }) =>
          error.code === 'credential_failed' && message.test(error.message) && !error.message.includes('sk-secret'),
      );
    });
  }

  test('a function that never answers has its time, and leaves no timer', async () => {
    const clock = new FakeClock();
    const asked = headersOf({ apiKey: () => new Promise<string>(() => {}) }, clock);
    clock.advance(999);
    assert.equal(clock.waiting, 1);
    clock.advance(1);
    await assert.rejects(asked, { code: 'credential_failed', message: /within 1000 ms \(timeouts\.dialMs\)/ });
    assert.equal(clock.waiting, 0);
  });

  test('an abort ends the wait at once, and leaves no timer', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const asked = headersOf({ apiKey: () => new Promise<string>(() => {}) }, clock, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(asked, reason);
    assert.equal(clock.waiting, 0);
  });
});
