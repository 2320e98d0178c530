// JSON itself says what a snapshot has to be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { SnapshotError, snapshot } from '../../dist/json/snapshot.js';
import type { SnapshotProblem } from '../../dist/json/snapshot.js';

const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function refused(value: unknown, problem: SnapshotProblem): void {
  assert.throws(
    () => snapshot(value),
    (error) => error instanceof SnapshotError && error.problem === problem,
  );
}

class Point {
  x = 1;
  y = undefined;
  static z = 3;
  get sum(): number {
    return 4;
  }
}
class Celsius {
  degrees = 20;
  toJSON(key: string): unknown {
    return { key, celsius: this.degrees, again: new Date(this.degrees) };
  }
}
const sparse: unknown[] = [1, undefined, () => 1, Symbol('s'), Number.NaN];
sparse[7] = 'last';
const inherited: unknown = Object.assign(Object.create({ above: 1 }), { own: 2 });
const polluted: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":null,"hasOwnProperty":2}');
const hidden: unknown = Object.defineProperty({ seen: 1, [Symbol('no')]: 2 }, 'unseen', { value: 3 });
const withToJson = Object.assign(() => 1, { toJSON: () => 5 });

const cases: readonly (readonly [string, unknown])[] = [
  ['nothing to it', { a: [1, 'x', true, null, {}, []] }],
  ['undefined, functions and symbols', { a: undefined, b: () => 1, c: Symbol('s'), d: [undefined, () => 1] }],
  ['an array with holes', sparse],
  ['numbers', [-0, Number.NaN, Infinity, -Infinity, 1e300, 5e-324, 0.1, 2 ** 53]],
  ['a date', { at: new Date(0), never: new Date(Number.NaN) }],
  ['boxed primitives', [Object(1), Object('s'), Object(false), Object(Number.NaN)]],
  ['boxed primitives of another realm', runInNewContext('[new Number(7), new String("s"), new Boolean(true)]')],
  ['plain objects of another realm', runInNewContext('({ a: [1, { b: undefined }], d: new Date(5) })')],
  [
    'what only calls itself a number',
    Object.assign(
      new (class {
        get [Symbol.toStringTag]() {
          return 'Number';
        }
      })(),
      { a: 1 },
    ),
  ],
  ['collections', { map: new Map([[1, 2]]), set: new Set([1]), error: new Error('e'), regexp: /x/ }],
  ['bytes', { buffer: Buffer.from('hi'), bytes: new Uint8Array([1, 2]) }],
  ['a class', new Point()],
  ['toJSON, and the key it is told', { a: new Celsius(), b: [new Celsius()], c: withToJson }],
  ['an address', { url: new URL('https://example.com/') }],
  ['what is inherited', inherited],
  ['keys of Object.prototype', polluted],
  ['keys that cannot be seen', hidden],
  ['keys like numbers come first', { b: 1, 10: 2, 9: 3, a: 4 }],
  ['no prototype', Object.assign(Object.create(null), { a: 1 })],
  ['a proxy', new Proxy([1, { a: 2 }], {})],
  ['half a surrogate pair', { text: '\ud800', '\udc00': 1 }],
  ['one object in many places', [sparse, sparse, { sparse }]],
];
describe('snapshot', () => {
  for (const [name, value] of cases) {
    test(`a snapshot is what JSON gives: ${name}`, () => {
      const copied = snapshot(value);
      assert.deepStrictEqual(copied, written(value));
      assert.equal(JSON.stringify(copied), JSON.stringify(value));
    });
  }

  test('a snapshot is what JSON gives: anything', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withDate: true,
          withBoxedValues: true,
          withMap: true,
          withNullPrototype: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        (value) => {
          const text: unknown = JSON.stringify(value);
          if (text === undefined) refused(value, 'nothing');
          else {
            assert.deepStrictEqual(snapshot(value), written(value));
            assert.equal(JSON.stringify(snapshot(value)), text);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a value that JSON cannot write, or that nests too deep to be compared, is refused', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = [circle];
    refused(circle, 'too_deep');
    let deep: unknown = 1;
    for (let level = 0; level < 512; level += 1) deep = [deep];
    assert.deepStrictEqual(snapshot(deep), written(deep));
    refused([deep], 'too_deep');
    refused({ a: 1n }, 'big_integer');
    refused([Object(1n)], 'unreadable');
    for (const value of [undefined, () => 1, Symbol('s')]) refused(value, 'nothing');
    const cause = new Error('mine');
    const failing = {
      get a(): never {
        throw cause;
      },
    };
    assert.throws(
      () => snapshot([failing]),
      (error) => error instanceof SnapshotError && error.problem === 'unreadable' && error.cause === cause,
    );
  });

  test('raw JSON is read as it will be written, or refused', (t) => {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    if (rawJSON === undefined) return t.skip('this version of Node has no JSON.rawJSON');
    assert.deepStrictEqual(snapshot({ a: rawJSON('1'), b: rawJSON('"x"') }), { a: 1, b: 'x' });
    refused({ a: rawJSON('12345678901234567890') }, 'inexact_number');
    return undefined;
  });

  test('a snapshot does not follow what is edited later', () => {
    const item = { content: [{ text: 'before' }] };
    const copied = snapshot([item]);
    item.content[0] = { text: 'after' };
    item.content.push({ text: 'more' });
    assert.deepStrictEqual(copied, [{ content: [{ text: 'before' }] }]);
  });
});
