// A4, H9: dials are slowed after an edge has refused one, and never before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusFailure } from '../../../dist/network/failure.js';
import { DialPace } from '../../../dist/pool/dialling/dial-pace.js';
import { Secrets } from '../../../dist/protocol/errors/secrets.js';
import { FakeClock } from '../../base/fake-clock.js';
import type { FailureKind } from '../../../dist/protocol/errors/failure-kind.js';

/** When each dial began, if `wanted` connections are wanted at once. */
function dials(clock: FakeClock, pace: DialPace, wanted: number): number[] {
  const began: number[] = [];
  while (began.length < wanted) {
    const wait = pace.ready();
    if (wait === 0) began.push(clock.now());
    else clock.advance(wait);
  }
  return began;
}

describe('pace of dials', () => {
  test('nothing is slowed where nothing was refused', () => {
    const clock = new FakeClock();
    assert.deepEqual(dials(clock, new DialPace(clock), 200), Array(200).fill(0));
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
      const pace = new DialPace(clock, () => 0);
      pace.refused(kind);
      assert.deepEqual(dials(clock, pace, 4), [1000, 2000, 3000, 4000]);
    });
  }

  test('after other statuses, and the 403 of the API itself, none is slowed', () => {
    const clock = new FakeClock();
    const pace = new DialPace(clock);
    for (const status of [401, 404, 426, 500, 503]) pace.refused(kindOf(status, page));
    pace.refused(kindOf(403, json));
    assert.deepEqual(dials(clock, pace, 3), [0, 0, 0]);
  });

  test('jittered, up to a fifth', () => {
    const clock = new FakeClock();
    let jitter = 0;
    const pace = new DialPace(clock, () => (jitter += 0.25));
    pace.refused('rate_limit');
    assert.deepEqual(dials(clock, pace, 3), [1050, 2150, 3300]);
  });

  test('a pause does not save up dials: the burst is one', () => {
    const clock = new FakeClock();
    const pace = new DialPace(clock, () => 0);
    pace.refused('rate_limit');
    clock.advance(30_000);
    assert.deepEqual(dials(clock, pace, 3), [30_000, 31_000, 32_000]);
  });

  test('a minute after the last refusal it is over', () => {
    const clock = new FakeClock();
    const pace = new DialPace(clock, () => 0);
    pace.refused('rate_limit');
    clock.advance(40_000);
    pace.refused('rate_limit');
    const began = dials(clock, pace, 100);
    assert.equal(began.filter((at) => at < 100_000).length, 60);
    assert.equal(began.filter((at) => at === 100_000).length, 40);
  });
});
