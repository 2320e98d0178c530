// N8: what comes in pieces takes the memory of its bytes, and not of what is announced.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteBuffer } from '../../dist/base/byte-buffer.js';

const kibibyte = 1024;
const piece = (length: number, fill: number): Buffer => Buffer.alloc(length, fill);

describe('byte buffer', () => {
  test('who announces much and sends little is given room for a part of it', () => {
    const bytes = new ByteBuffer();
    bytes.append(piece(10, 1), 0, 10, 100 * kibibyte * kibibyte);
    assert.equal(bytes.take().buffer.byteLength, 256 * kibibyte);
  });

  test('a long run of bytes has no more memory than was announced, in whatever pieces it comes', () => {
    for (const length of [20 * kibibyte, 300 * kibibyte, 1000 * kibibyte]) {
      const bytes = new ByteBuffer();
      for (let at = 0; at < length; at += 1000) {
        const size = Math.min(1000, length - at);
        bytes.append(piece(size, 7), 0, size, length);
      }
      const taken = bytes.take();
      assert.deepEqual(taken, piece(length, 7));
      assert.equal(taken.buffer.byteLength, length);
    }
  });

  test('a long run of bytes belongs to its taker, a short one is lent', () => {
    const bytes = new ByteBuffer();
    bytes.append(piece(20 * kibibyte, 1), 0, 20 * kibibyte);
    const long = bytes.take();
    bytes.append(piece(20 * kibibyte, 2), 0, 20 * kibibyte);
    assert.deepEqual(long, piece(20 * kibibyte, 1));
    bytes.take();

    bytes.append(piece(100, 3), 0, 100);
    const short = bytes.take();
    bytes.append(piece(100, 4), 0, 100);
    assert.equal(short.buffer, bytes.take().buffer);
  });
});
