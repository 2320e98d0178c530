// Guesses of misspelt names.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nearest } from '../../dist/settings/spelling.js';

const names = ['transport', 'timeouts', 'network', 'pool', 'recovery', 'onEvent'];

describe('spelling', () => {
  for (const [slip, meant] of [
    ['transprt', 'transport'],
    ['tranpsort', 'transport'],
    ['transports', 'transport'],
    ['Timeuots', 'timeouts'],
    ['netwrok', 'network'],
    ['polo', 'pool'],
    ['recover', 'recovery'],
    ['onEvnt', 'onEvent'],
    ['model', undefined],
    ['po', undefined],
    ['', undefined],
    ['t'.repeat(100_000), undefined],
  ] as const) {
    test(`nearest: "${slip.slice(0, 20)}" was meant to be ${meant}`, () => {
      assert.equal(nearest(slip, names), meant);
    });
  }
});
