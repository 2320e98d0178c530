// A5, G3, P27, P104: how long the server asks to wait, in every form in which it has been seen to ask.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnwireError } from '../../dist/protocol/errors/errors.js';
import { retryAfterMsOf } from '../../dist/protocol/errors/retry-after.js';
import { parseServerError } from '../../dist/protocol/errors/server-error.js';

/** 1994-11-06T08:49:37Z, the date that RFC 9110 writes in its examples, in milliseconds. */
const then = 784_111_777_000;

const header = (headers: Record<string, unknown>): unknown => ({ type: 'error', error: { message: 'no', headers } });
const field = (fields: object): unknown => ({ type: 'error', error: { message: 'no', ...fields } });
const says = (message: string): unknown => ({ type: 'error', error: { message } });

const forms: readonly [name: string, raw: unknown, ms: number | undefined][] = [
  ['nothing', field({}), undefined],
  ['retry-after-ms', header({ 'retry-after-ms': '1500' }), 1500],
  ['retry-after-ms before retry-after', header({ 'retry-after': '9', 'retry-after-ms': 250.4 }), 250],
  ['retry-after', header({ 'Retry-After': '2' }), 2000],
  ['retry-after, a fraction', header({ 'retry-after': '0.25' }), 250],
  ['retry-after, a number', header({ 'retry-after': 3 }), 3000],
  ['retry-after, a day', header({ 'retry-after': '86400' }), 86_400_000],
  ['retry-after, 12 964 s', header({ 'retry-after': '12964' }), 12_964_000],
  ['retry-after, 344 874 s', header({ 'retry-after': '344874' }), 344_874_000],
  ['retry-after, a date', header({ 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT' }), 10_000],
  ['retry-after, a date that has passed', header({ 'retry-after': 'Sun, 06 Nov 1994 08:49:27 GMT' }), 0],
  ['retry-after, 0', header({ 'retry-after': '0' }), 0],
  ['retry-after, negative', header({ 'retry-after': '-1' }), undefined],
  ['retry-after, garbage', header({ 'retry-after': 'soon' }), undefined],
  ['retry-after, empty', header({ 'retry-after': '' }), undefined],
  ['retry-after, more than any wait', header({ 'retry-after': '1e9' }), undefined],
  ['retry-after, centuries', header({ 'retry-after': '99999999999' }), undefined],
  ['garbage, and a field that is not', field({ headers: { 'retry-after': 'x' }, retry_after: 4 }), 4000],
  ['headers at the top of a frame', { type: 'error', headers: { 'retry-after': 5 }, error: { message: 'no' } }, 5000],
  ['retry_after', field({ retry_after: 1.5 }), 1500],
  ['retry_after, a string', field({ retry_after: '1.5' }), 1500],
  ['retry_after, negative', field({ retry_after: -3 }), undefined],
  ['retry_after, no number', field({ retry_after: NaN }), undefined],
  ['retry_after, infinite', field({ retry_after: Infinity }), undefined],
  ['retry_after, an object', field({ retry_after: {} }), undefined],
  ['retry_after_ms', field({ retry_after_ms: 70 }), 70],
  ['retry_after_seconds', field({ retry_after_seconds: 12_964 }), 12_964_000],
  ['resets_in_seconds', field({ resets_in_seconds: '30' }), 30_000],
  ['resets_at, in seconds', field({ resets_at: then / 1000 + 60 }), 60_000],
  ['resets_at, in milliseconds', field({ resets_at: then + 60_000 }), 60_000],
  ['resets_at, a date', field({ resets_at: '1994-11-06T08:50:37Z' }), 60_000],
  ['resets_at, passed', field({ resets_at: then / 1000 - 60 }), 0],
  ['resets_at, left empty', field({ resets_at: 0 }), undefined],
  ['reset_at, in seconds', field({ reset_at: then / 1000 + 60 }), 60_000],
  ['retry-after, a span', header({ 'retry-after': '1m30s' }), 90_000],
  ['retry-after-ms, a span', header({ 'retry-after-ms': '20ms' }), 20],
  ['retry_after, a span', field({ retry_after: '1.5s' }), 1500],
  ['beside the error', { type: 'error', retry_after: 3, error: { message: 'no' } }, 3000],
  ['google.rpc.RetryInfo', field({ details: [{ '@type': 'x' }, { retryDelay: '34s' }] }), 34_000],
  ['headers in metadata', field({ metadata: { headers: { 'Retry-After': '8' } } }), 8000],
  ['flat', { type: 'error', message: 'no', retry_after: 2 }, 2000],
  ['inside a failed response', { response: { error: { message: 'no', retry_after: 2 } } }, 2000],
  ['text, seconds', says('Rate limit reached. Please try again in 1.2s. Visit the page.'), 1200],
  ['text, milliseconds', says('Please try again in 354ms.'), 354],
  ['text, minutes and seconds', says('Please try again in 1m26.5s.'), 86_500],
  ['text, hours', says('try again in 2h'), 7_200_000],
  ['text, words', says('Please retry after 20 seconds and then rest'), 20_000],
  ['text, long words', says('Retry after 2 minutes'), 120_000],
  ['text, a request of yours', says('Please try your request again in 20s.'), 20_000],
  ['text, about', says('Try again in about 3 seconds'), 3000],
  ['text, retry in', says('Please retry in 17.5s.'), 17_500],
  ['text, wait', says('Please wait 20 seconds before trying again'), 20_000],
  ['text, joined by and', says('Try again in 1 minute and 30 seconds.'), 90_000],
  ['text, joined by a comma', says('Try again in 2 hours, 5 minutes'), 7_500_000],
  ['text, days', says('Limit resets in 3 days'), 259_200_000],
  ['text, milliseconds spelt out', says('try again in 250 milliseconds'), 250],
  ['text, then other numbers', says('try again in 2s and send 3 seconds of audio'), 2000],
  ['text, no unit', says('try again in 5 apples'), undefined],
  ['text that speaks of something else', says('used 20s of 30s'), undefined],
  ['no error at all', null, undefined],
  ['only text', 'try again in 3s', 3000],
];
describe('wait that a server asks for', () => {
  for (const [name, raw, ms] of forms) {
    test(`${name}: ${ms}`, () => {
      assert.equal(retryAfterMsOf(parseServerError(raw), then), ms);
    });
  }

  test('headers of an HTTP answer', () => {
    const server = parseServerError({ error: { message: 'no' } }, { status: 429, headers: { 'Retry-After': '7' } });
    assert.equal(retryAfterMsOf(server, then), 7000);
    assert.equal(new TurnwireError('upgrade_refused', '', { status: 429, server }).retryAfterMs, 7000);
  });

  test('an error of our own says nothing', () => {
    assert.equal(retryAfterMsOf(undefined, then), undefined);
    assert.equal(new TurnwireError('dial_failed', 'try again in 3s').retryAfterMs, undefined);
  });

  test('N10: a long hostile text is read in no time', () => {
    const begun = performance.now();
    for (const piece of ['1 a', '1 and ', 'try again in 1s', '1s, and '])
      assert.notEqual(
        retryAfterMsOf({ ...parseServerError(''), message: `try again in ${piece.repeat(700)}`.repeat(200) }, then),
        NaN,
      );
    assert.ok(performance.now() - begun < 1000);
  });
});
