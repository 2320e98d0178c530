import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginTick, systemClock } from '../dist/clock.js';

test('the time of a tick stands still until more bytes have come', () => {
  beginTick();
  const first = systemClock.tick();
  assert.ok(Math.abs(systemClock.now() - first) < 1000);
  while (systemClock.now() <= first);
  assert.equal(systemClock.tick(), first);
  beginTick();
  assert.ok(systemClock.tick() > first);
});
