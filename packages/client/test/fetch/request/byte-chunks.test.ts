import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteChunks } from '../../../dist/fetch/request/byte-chunks.js';

const whole = Buffer.from('für "👋" und [1]');

/** The same bytes in all ways to cut them in two, in single bytes, and with chunks that are empty. */
function* cuts(): Iterable<readonly Buffer[]> {
  for (let at = 0; at <= whole.length; at += 1) yield [whole.subarray(0, at), whole.subarray(at)];
  yield Array.from({ length: whole.length }, (_, at) => whole.subarray(at, at + 1));
  yield [Buffer.alloc(0), whole.subarray(0, 5), Buffer.alloc(0), whole.subarray(5), Buffer.alloc(0)];
}

describe('byte chunks', () => {
  test('the parts between two places are the bytes of the whole, wherever it was cut', () => {
    for (const chunks of cuts()) {
      const bytes = new ByteChunks(chunks);
      assert.equal(bytes.length, whole.length);
      for (let from = 0; from <= whole.length; from += 1)
        for (let to = from; to <= whole.length; to += 1)
          assert.deepEqual(Buffer.concat(bytes.parts(from, to)), whole.subarray(from, to));
    }
  });

  test('parts are not copied, and none is empty', () => {
    for (const chunks of cuts()) {
      const parts = new ByteChunks(chunks).parts(1, whole.length);
      assert(parts.every(({ length }) => length > 0));
    }
    const [first, second] = [Buffer.from('first'), Buffer.from('second')];
    const parts = new ByteChunks([first, second]).parts(3, 8);
    first.fill('x');
    second.fill('y');
    assert.equal(parts.join(''), 'xxyyy');
  });
});
