import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { markIntegers, unmarkIntegers } from '../../dist/json/exact-integers.js';

const exact = [
  '{"a":1,"b":[9007199254740991,-9007199254740991]}',
  '{"a":"9223372036854775807","b":"\\"9223372036854775807"}',
  '{"id":"x9223372036854775807","c":1.2345678901234567,"d":1e300,"e":12345678901234567e3,"f":0.12345678901234567890}',
  '{"9223372036854775807":true,"9223372036854775808" :1}',
];

const inexact = [
  '{"maximum":9223372036854775807,"minimum":-9223372036854775808}',
  '[9007199254740993, 18446744073709551615 ,"18446744073709551615",\n-12345678901234567890123]',
  '9223372036854775807',
  '{"a":"\\\\","b":9223372036854775807}',
];

const invalid = [
  '{9223372036854775807:1}',
  '[09223372036854775807]',
  '[--9223372036854775807]',
  '[9223372036854775807x]',
  '[+9223372036854775807]',
  '[1 9223372036854775807]',
  '[9223372036854775807"a"]',
  '{"a":"9223372036854775807}',
];

describe('integers that JavaScript cannot hold', () => {
  test('come out of JSON as they went in', () => {
    for (const text of inexact) {
      const read = JSON.parse(markIntegers(text)) as unknown;
      assert.deepEqual(unmarkIntegers(JSON.stringify(read)), text.replaceAll(/\s/g, ''));
      assert.notEqual(JSON.stringify(JSON.parse(text)), text.replaceAll(/\s/g, ''));
    }
  });

  test('are the only ones that are marked', () => {
    for (const text of exact) assert.equal(markIntegers(text), text);
  });

  test('make no text valid that is not', () => {
    for (const text of invalid) {
      assert.throws(() => JSON.parse(text), text);
      assert.throws(() => JSON.parse(markIntegers(text)), text);
    }
  });
});
