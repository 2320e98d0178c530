import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { equalJsonText } from '../../dist/json/json-text.js';

const same: readonly (readonly [string, string])[] = [
  ['{"a":1,"b":"x"}', '{ "b": "x",\n"a": 1 }'],
  ['{"a":[{"x":1,"y":[2]}]}', '{"a":[{"y":[2],"x":1}]}'],
  [String.raw`{"a":"\u00e9\/"}`, '{"a":"é/"}'],
  ['[1.0,1e2,0.10,-2.50,1e21,120E-1]', '[1,100,0.1,-2.5,1000000000000000000000,12]'],
  ['[0.0,0e5]', '[0,0]'],
  [String.raw`{"a":"1:2 \" 3"}`, String.raw`{ "a":"1:2 \" 3"}`],
  ['{"__proto__":1,"constructor":2}', '{"constructor":2,"__proto__":1}'],
  ['not JSON', 'not JSON'],
  ['12345678901234567890', '12345678901234567890'],
];
const different: readonly (readonly [string, string, string])[] = [
  ['text', '{"a":1}', '{"a":2}'],
  ['the order of an array', '[1,2]', '[2,1]'],
  ['a type', '{"a":1}', '{"a":"1"}'],
  ['null is not absent', '{"a":null}', '{}'],
  ['an integer that a double cannot hold', '{"id":12345678901234567890}', '{"id":12345678901234567000}'],
  ['the same, with nothing but a space more', '{"id":12345678901234567890}', '{ "id":12345678901234567890}'],
  ['digits that a double cannot hold', '[0.1000000000000000055511151231257827]', '[0.1]'],
  ['too large for a double', '[1e400]', '[1e401]'],
  ['a negative zero', '[-0]', '[0]'],
  ['a key that stands twice', '{"a":1,"a":2}', '{"a":2}'],
  ['no JSON', '{"a":1', '{ "a":1'],
  ['keys of the prototype', '{"a":{"toString":1}}', '{"a":{}}'],
  ['too deep', '['.repeat(600) + ']'.repeat(600), ` ${'['.repeat(600)}${']'.repeat(600)}`],
  ['deep enough to exhaust a stack', '['.repeat(1e5) + ']'.repeat(1e5), ` ${'['.repeat(1e5)}${']'.repeat(1e5)}`],
  ['too long', `"${'x'.repeat(2 ** 20)}"`, ` "${'x'.repeat(2 ** 20)}"`],
];
describe('JSON inside a text', () => {
  test('equalJsonText: two texts of the same JSON, written in other ways', () => {
    for (const [a, b] of same) {
      assert(equalJsonText(a, b), `${a} ${b}`);
      assert(equalJsonText(b, a), `${b} ${a}`);
    }
  });
  for (const [name, a, b] of different) {
    test(`not the same JSON: ${name}`, () => {
      assert.equal(equalJsonText(a, b), false);
      assert.equal(equalJsonText(b, a), false);
    });
  }

  test('whatever an SDK parses and writes anew is the same, unless a negative zero was in it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, null, 2);
        assert(equalJsonText(text, JSON.stringify(JSON.parse(text))));
      }),
      { numRuns: 1000 },
    );
  });
});
