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
  test('the bytes between two places are those of the whole, wherever it was cut', () => {
    for (const chunks of cuts()) {
      const bytes = new ByteChunks(chunks);
      assert.equal(bytes.length, whole.length);
      for (let from = 0; from <= whole.length; from += 1)
        for (let to = from; to <= whole.length; to += 1)
          assert.deepEqual(bytes.slice(from, to), whole.subarray(from, to));
    }
  });

  test('a piece is found where it stands in the whole, and nowhere else', () => {
    const places = Array.from({ length: whole.length + 1 }, (_, at) => at);
    for (const chunks of cuts())
      for (const piece of [whole, Buffer.from('👋'), Buffer.from('" und'), Buffer.from('] '), Buffer.from('n')])
        assert.deepEqual(
          places.filter((at) => new ByteChunks(chunks).hasAt(at, piece)),
          places.filter((at) => whole.subarray(at, at + piece.length).equals(piece)),
        );
  });

  test('all bytes are joined once', () => {
    const bytes = new ByteChunks([Buffer.from('first'), Buffer.from('second')]);
    const all = bytes.slice(0, 11);
    all.fill('x');
    assert.equal(bytes.slice(3, 8).toString(), 'xxxxx');
  });

  test('bytes that lie in one chunk are not copied', () => {
    const [first, second] = [Buffer.from('first'), Buffer.from('second')];
    const slice = new ByteChunks([first, second]).slice(5, 11);
    second.fill('x');
    assert.equal(slice.toString(), 'xxxxxx');
  });
});
