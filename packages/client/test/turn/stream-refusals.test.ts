import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamRefusals } from '../../dist/turn/stream-refusals.js';
import { FakeClock } from '../fake-clock.js';

test('stream refusals: a model is remembered for an hour from its last refusal on', () => {
  const clock = new FakeClock();
  const refusals = new StreamRefusals(clock);
  assert.equal(refusals.has('a'), false);
  refusals.note('a');
  clock.advance(1_800_000);
  refusals.note('a');
  clock.advance(3_599_999);
  assert.equal(refusals.has('a'), true);
  assert.equal(refusals.has('b'), false);
  clock.advance(1);
  assert.equal(refusals.has('a'), false);
});

test('stream refusals: of a hundred models at most, the one refused last among them', () => {
  const refusals = new StreamRefusals(new FakeClock());
  for (let model = 0; model < 150; model += 1) refusals.note(model);
  const remembered = Array.from({ length: 150 }, (_, model) => model).filter((model) => refusals.has(model));
  assert.deepEqual([remembered.length, remembered[0]], [100, 50]);
});
