import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstCharacters, lastCharacters, wellFormed } from '../../../dist/agent/base/well-formed.js';

describe('texts that are cut', () => {
  test('a cut between two characters is exact, a cut within a character leaves that character out', () => {
    const text = 'a😀b';
    assert.deepEqual(
      [0, 1, 2, 3, 4, 9].map((most) => firstCharacters(text, most)),
      ['', 'a', 'a', 'a😀', text, text],
    );
    assert.deepEqual(
      [0, 1, 2, 3, 4, 9].map((most) => lastCharacters(text, most)),
      ['', 'b', 'b', '😀b', text, text],
    );
  });
});

describe('values without unpaired surrogates', () => {
  test('unpaired surrogates become U+FFFD, also in keys; a value without any is the same object', () => {
    assert.deepEqual(wellFormed({ a: ['\uD83D', 1, null, { '\uDE00': true }] }), {
      a: ['\uFFFD', 1, null, { '\uFFFD': true }],
    });
    const fine = { a: ['😀', 1, null, { b: undefined }] };
    assert.equal(wellFormed(fine), fine);
  });
});
