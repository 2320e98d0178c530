import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExpiringModels } from '../../../dist/turn/recovery/expiring-models.js';
import { FakeClock } from '../../base/fake-clock.js';

describe('models that expire', () => {
  test('model notes: a model is remembered for an hour from its last note on', () => {
    const clock = new FakeClock();
    const notes = new ExpiringModels(clock);
    assert.equal(notes.has('a'), false);
    notes.add('a');
    clock.advance(1_800_000);
    notes.add('a');
    clock.advance(3_599_999);
    assert.equal(notes.has('a'), true);
    assert.equal(notes.has('b'), false);
    clock.advance(1);
    assert.equal(notes.has('a'), false);
  });

  test('model notes: of a hundred models at most, the one noted last among them', () => {
    const notes = new ExpiringModels(new FakeClock());
    for (let model = 0; model < 150; model += 1) notes.add(model);
    const remembered = Array.from({ length: 150 }, (_, model) => model).filter((model) => notes.has(model));
    assert.deepEqual([remembered.length, remembered[0]], [100, 50]);
  });
});
