import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { median, percentile, ratio, rotated, summarize } from '../dist/report/statistics.js';

describe('bench: statistics', () => {
  test('the median is the middle value, or the mean of the middle two', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([10, 1, 4, 2]), 3);
    assert.equal(median([7]), 7);
    assert(Number.isNaN(median([])));
  });

  test('a percentile lies between its two nearest ranks', () => {
    // As numpy.percentile([15, 20, 35, 40, 50], [0, 40, 99, 100]) has it.
    const values = [40, 15, 50, 20, 35];
    assert.equal(percentile(values, 0), 15);
    assert.equal(percentile(values, 40), 29);
    assert.equal(percentile(values, 99), 49.6);
    assert.equal(percentile(values, 100), 50);
  });

  test('a summary leaves out the rounds that failed', () => {
    assert.deepEqual(summarize([4, undefined, 2, 9]), { median: 4, min: 2, max: 9, rounds: 3 });
    assert.equal(summarize([undefined]), undefined);
  });

  test('a ratio is taken round by round, so that a slow round cancels', () => {
    // The machine is ten times slower in the second round: the medians alone would say 2 / 10 or 20 / 10.
    assert.deepEqual(ratio([2, 20, 2], [1, 10, 1]), { median: 2, min: 2, max: 2, rounds: 3 });
    assert.deepEqual(ratio([2, undefined, 6], [1, 10, 2]), { median: 2.5, min: 2, max: 3, rounds: 2 });
    assert.equal(ratio([1], [0]), undefined);
  });

  test('each round begins with the next row', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((round) => rotated(['A', 'B', 'C'], round).join('')),
      ['ABC', 'BCA', 'CAB', 'ABC'],
    );
    assert.deepEqual(rotated([], 4), []);
  });
});
