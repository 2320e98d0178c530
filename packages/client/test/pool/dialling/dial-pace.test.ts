// A4, H9: dials are slowed after an edge has refused one, and never before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialPace } from '../../../dist/pool/dialling/dial-pace.js';
import { FakeClock } from '../../base/fake-clock.js';

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

test('nothing is slowed where nothing was refused', () => {
  const clock = new FakeClock();
  assert.deepEqual(dials(clock, new DialPace(clock), 200), Array(200).fill(0));
});

for (const status of [403, 429]) {
  test(`after ${status}, one dial a second`, () => {
    const clock = new FakeClock();
    const pace = new DialPace(clock, () => 0);
    pace.refused(status);
    assert.deepEqual(dials(clock, pace, 4), [1000, 2000, 3000, 4000]);
  });
}

test('after other statuses, none is slowed', () => {
  const clock = new FakeClock();
  const pace = new DialPace(clock);
  for (const status of [401, 404, 426, 500, 503]) pace.refused(status);
  assert.deepEqual(dials(clock, pace, 3), [0, 0, 0]);
});

test('jittered, up to a fifth', () => {
  const clock = new FakeClock();
  let jitter = 0;
  const pace = new DialPace(clock, () => (jitter += 0.25));
  pace.refused(403);
  assert.deepEqual(dials(clock, pace, 3), [1050, 2150, 3300]);
});

test('a pause does not save up dials: the burst is one', () => {
  const clock = new FakeClock();
  const pace = new DialPace(clock, () => 0);
  pace.refused(429);
  clock.advance(30_000);
  assert.deepEqual(dials(clock, pace, 3), [30_000, 31_000, 32_000]);
});

test('a minute after the last refusal it is over', () => {
  const clock = new FakeClock();
  const pace = new DialPace(clock, () => 0);
  pace.refused(403);
  clock.advance(40_000);
  pace.refused(403);
  const began = dials(clock, pace, 100);
  assert.equal(began.filter((at) => at < 100_000).length, 60);
  assert.equal(began.filter((at) => at === 100_000).length, 40);
});
