// A4, H9: dials are slowed after an edge has refused one, and never before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusFailure } from '../../../dist/network/failure.js';
import { DialRateLimiter } from '../../../dist/pool/dialling/dial-rate-limiter.js';
import { Secrets } from '../../../dist/protocol/errors/secrets.js';
import { FakeClock } from '../../base/fake-clock.js';
import type { FailureKind } from '../../../dist/protocol/errors/failure-kind.js';

/** When each dial began, if `wanted` connections are wanted at once. */
function dials(clock: FakeClock, dialLimiter: DialRateLimiter, wanted: number): number[] {
  const began: number[] = [];
  while (began.length < wanted) {
    const wait = dialLimiter.ready();
    if (wait === 0) began.push(clock.now());
    else clock.advance(wait);
  }
  return began;
}

describe('dialLimiter of dials', () => {
  test('nothing is slowed where nothing was refused', () => {
    const clock = new FakeClock();
    assert.deepEqual(dials(clock, new DialRateLimiter(clock), 200), Array(200).fill(0));
  });

  /** How the client reads an answer to its upgrade. */
  function kindOf(status: number, body: string, headers: Record<string, string> = {}): FailureKind {
    return statusFailure(
      'upgrade_refused',
      'wss://api.test',
      { status, headers, body, secrets: new Secrets() },
      'queued',
    ).kind;
  }

  const page = '<h1>Forbidden</h1>';
  const json = '{"error":{"message":"Not you.","code":"permission_denied"}}';

  for (const [what, kind] of [
    ['429', kindOf(429, '')],
    ['403 with a page', kindOf(403, page)],
    ['403 with the mark of an edge network', kindOf(403, json, { 'cf-mitigated': 'challenge' })],
  ] as const) {
    test(`after ${what}, one dial a second`, () => {
      const clock = new FakeClock();
      const dialLimiter = new DialRateLimiter(clock, () => 0);
      dialLimiter.refused(kind);
      assert.deepEqual(dials(clock, dialLimiter, 4), [1000, 2000, 3000, 4000]);
    });
  }

  test('after other statuses, and the 403 of the API itself, none is slowed', () => {
    const clock = new FakeClock();
    const dialLimiter = new DialRateLimiter(clock);
    for (const status of [401, 404, 426, 500, 503]) dialLimiter.refused(kindOf(status, page));
    dialLimiter.refused(kindOf(403, json));
    assert.deepEqual(dials(clock, dialLimiter, 3), [0, 0, 0]);
  });

  test('jittered, up to a fifth', () => {
    const clock = new FakeClock();
    let jitter = 0;
    const dialLimiter = new DialRateLimiter(clock, () => (jitter += 0.25));
    dialLimiter.refused('rate_limit');
    assert.deepEqual(dials(clock, dialLimiter, 3), [1050, 2150, 3300]);
  });

  test('a pause does not save up dials: the burst is one', () => {
    const clock = new FakeClock();
    const dialLimiter = new DialRateLimiter(clock, () => 0);
    dialLimiter.refused('rate_limit');
    clock.advance(30_000);
    assert.deepEqual(dials(clock, dialLimiter, 3), [30_000, 31_000, 32_000]);
  });

  test('a minute after the last refusal it is over', () => {
    const clock = new FakeClock();
    const dialLimiter = new DialRateLimiter(clock, () => 0);
    dialLimiter.refused('rate_limit');
    clock.advance(40_000);
    dialLimiter.refused('rate_limit');
    const began = dials(clock, dialLimiter, 100);
    assert.equal(began.filter((at) => at < 100_000).length, 60);
    assert.equal(began.filter((at) => at === 100_000).length, 40);
  });
});
