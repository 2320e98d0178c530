import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClockJumpDetector } from '../../../dist/pool/liveness/clock-jump.js';
import { FakeClock } from '../../base/fake-clock.js';

describe('clock jump', () => {
  for (const [jump, broken] of [
    [0, false],
    [500, false],
    [-500, false],
    [60_000, true],
    [-3_600_000, true],
  ] as const)
    test(`B6: the time of day that jumps by ${jump} ms ${broken ? 'is' : 'is not'} noticed, once`, () => {
      const clock = new FakeClock();
      const continuity = new ClockJumpDetector(clock);
      clock.advance(3_600_000);
      assert.equal(continuity.hasJumped(), false);
      clock.jump(jump);
      assert.equal(continuity.hasJumped(), broken);
      assert.equal(continuity.hasJumped(), false);
    });
});
