import assert from 'node:assert/strict';
import { once } from 'node:events';
import { getDefaultHighWaterMark } from 'node:stream';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import * as fc from 'fast-check';
import { ContentDecoder, UnknownCodingError, acceptEncoding } from '../../../dist/network/post/content-decoder.js';

type Compress = (bytes: Buffer) => Buffer;
const { zstdCompressSync } = zlib as { zstdCompressSync?: Compress };
const codings: Record<string, Compress> = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  'Deflate, Identity': zlib.deflateRawSync,
  br: zlib.brotliCompressSync,
  'deflate, br': (bytes) => zlib.brotliCompressSync(zlib.deflateSync(bytes)),
  ...(zstdCompressSync === undefined ? {} : { zstd: zstdCompressSync }),
};

/** What a decoder makes of these pieces, the memory of each of which is lent for its call. */
function decode(coding: string, pieces: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const decoded: Buffer[] = [];
    const decoder = ContentDecoder.for(coding, {
      decoded: (bytes) => decoded.push(bytes),
      pauseWrites: () => {},
      resumeWrites: () => {},
      decodeFailed: reject,
    });
    for (const piece of pieces) {
      const lent = Buffer.from(piece);
      decoder?.write(lent);
      lent.fill(0);
    }
    decoder?.end(() => resolve(Buffer.concat(decoded)));
  });
}

describe('content decoder', () => {
  for (const [coding, compress] of Object.entries(codings))
    test(`content coding ${coding}: what was compressed comes out, however it is cut`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat({ max: 40 })), async (bytes, lengths) => {
          const body = compress(Buffer.from(bytes));
          let at = 0;
          const pieces = lengths.map((length) => body.subarray(at, (at += length)));
          assert.deepEqual(await decode(coding, [...pieces, body.subarray(at)]), Buffer.from(bytes));
        }),
        { numRuns: 30 },
      );
    });

  test('content coding: none, and identity, need no decoder', () => {
    const listener = { decoded: () => {}, pauseWrites: () => {}, resumeWrites: () => {}, decodeFailed: () => {} };
    for (const coding of [undefined, '', 'identity', ' Identity ', 'identity,identity'])
      assert.equal(ContentDecoder.for(coding, listener), undefined);
    for (const coding of ['compress', 'gzip, compress', 'gzip, gzip, gzip', 'constructor'])
      assert.throws(() => ContentDecoder.for(coding, listener), UnknownCodingError);
  });

  test('content coding: accept-encoding names what is decoded, and prefers what is not compressed', () => {
    const weights = acceptEncoding.split(', ').map((part) => part.split(';q='));
    assert.deepEqual(weights[0], ['identity']);
    for (const [coding = '', weight] of weights.slice(1)) {
      assert.ok(coding in codings, coding);
      assert.equal(weight, '0.5');
    }
  });

  test('content coding: a body that is cut off gives what can be decoded of it', async () => {
    const text = 'x'.repeat(10_000);
    const body = zlib.gzipSync(text).subarray(0, -12);
    assert.match((await decode('gzip', [body])).toString(), /^x{1000,}$/);
  });

  test('content coding: a body that is none is told, and nothing after it', async () => {
    await assert.rejects(decode('gzip', [Buffer.from('plain text'), Buffer.from('more')]));
  });

  test('content coding: a paused decoder holds no more than its buffers, and goes on where it stopped', async () => {
    const size = 32 * 1024 * 1024;
    // Hardly compressed, it is larger than the buffer of a stream on any Node: 16 KiB on 20, 64 KiB from 22 on.
    const bomb = zlib.gzipSync(Buffer.alloc(size), { level: 1 });
    assert.ok(bomb.length > 2 * getDefaultHighWaterMark(false));
    let count = 0;
    let isFull = false;
    let roomy = (): void => assert.fail('roomy');
    const decoder = ContentDecoder.for('gzip', {
      decoded: ({ length }) => (count += length),
      pauseWrites: () => (isFull = true),
      resumeWrites: () => roomy(),
      decodeFailed: assert.fail,
    });
    assert(decoder);
    decoder.write(bomb);
    decoder.pause();
    // It decodes elsewhere: a second stream of the same library tells when it could have.
    const other = zlib.createGunzip();
    other.end(zlib.gzipSync('x'));
    await once(other.resume(), 'end');
    assert.ok(count < 1024 * 1024, `${count} bytes were told`);
    assert.equal(isFull && decoder.writesPaused, true);
    const hasRoom = new Promise<void>((resolve) => (roomy = resolve));
    decoder.resume();
    await hasRoom;
    assert.equal(decoder.writesPaused, false);
    await new Promise<void>((resolve) => decoder.end(resolve));
    assert.equal(count, size);
  });

  test('content coding: one that was destroyed tells nothing', async () => {
    const decoder = ContentDecoder.for('gzip', {
      decoded: () => assert.fail('decoded'),
      pauseWrites: () => {},
      resumeWrites: () => assert.fail('roomy'),
      decodeFailed: () => assert.fail('undecodable'),
    });
    decoder?.write(zlib.gzipSync('text'));
    decoder?.destroy();
    decoder?.write(zlib.gzipSync('text'));
    decoder?.end(() => assert.fail('ended'));
    const other = zlib.createGunzip();
    other.end(zlib.gzipSync('x'));
    await once(other.resume(), 'end');
  });
});
