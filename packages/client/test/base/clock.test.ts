import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startDeadline } from '../../dist/base/clock.js';
import { FakeClock } from './fake-clock.js';

describe('a limit', () => {
  const limited = (ms: number): { clock: FakeClock; judged: number[]; timer: { cancel: () => void } } => {
    const clock = new FakeClock();
    const judged: number[] = [];
    const timer = startDeadline(clock, ms, () => judged.push(clock.now()));
    return { clock, judged, timer };
  };

  test('judges once, when it has passed', () => {
    const { clock, judged } = limited(800);
    clock.advance(799);
    assert.deepEqual(judged, []);
    clock.advance(10_000);
    assert.deepEqual([judged, clock.waiting], [[800], 0]);
  });

  test('judges nothing that was cancelled, also between its end and the look at what has come', () => {
    const early = limited(800);
    early.clock.advance(300);
    early.timer.cancel();
    const late = limited(800);
    late.clock.advance(750);
    late.clock.stall(50);
    late.timer.cancel();
    for (const { clock, judged } of [early, late]) {
      clock.advance(10_000);
      assert.deepEqual([judged, clock.waiting], [[], 0]);
    }
  });

  test('reads what has come before it judges', () => {
    const { clock, judged } = limited(800);
    clock.advance(750);
    // Its timer runs first when the loop goes on, the sockets come after it.
    clock.stall(50);
    assert.deepEqual(judged, []);
    clock.advance(0);
    assert.equal(judged.length, 1);
  });

  test('gives back the time in which the loop stood still', () => {
    const { clock, judged } = limited(800);
    clock.advance(90);
    // One timer was due at 100, so 5000 are known of.
    clock.stall(5010);
    clock.advance(699);
    assert.deepEqual(judged, []);
    clock.advance(1);
    assert.deepEqual(judged, [5800]);
  });

  test('has an end also where the loop stands still again and again', () => {
    const { clock, judged } = limited(800);
    for (let blocks = 0; blocks < 50 && judged.length === 0; blocks += 1) {
      clock.stall(5000);
      clock.advance(0);
    }
    assert.ok(judged.length === 1 && clock.now() <= 50_000, String(clock.now()));
  });

  test('of Infinity judges never', () => {
    const { clock, judged } = limited(Infinity);
    clock.advance(1e12);
    assert.deepEqual([judged, clock.waiting], [[], 0]);
  });
});
