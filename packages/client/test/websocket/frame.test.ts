// A client's frames, as the library `ws` reads them on the side of a server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { FrameMemory } from '../../dist/websocket/frame-memory.js';
import { encodeFrame, closePayload, textBytes } from '../../dist/websocket/frame.js';
import type { Writable } from 'node:stream';

// Its types leave it out.
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

async function asServerReads(bytes: Buffer, event: string): Promise<unknown[]> {
  const receiver = new Receiver({ isServer: true });
  const heard = once(receiver, event) as Promise<unknown[]>;
  receiver.write(bytes);
  const result = await heard;
  receiver.destroy();
  return result;
}

describe('WebSocket frame of the client', () => {
  test('ws reads what was written, at every length of a head and of a word', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom(
        ...[0, 1, 2, 3, 4, 5, 125, 126, 127, 65_535, 65_536, 1_000_003].map((length) => 'x'.repeat(length)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const [message] = (await asServerReads(encodeFrame(1, text), 'message')) as [Buffer];
        assert.equal(message.toString(), Buffer.from(text).toString());
      }),
    );
  });

  test('ws reads a text in pieces as the whole', async () => {
    const pieces = fc.array(fc.string({ unit: 'grapheme', maxLength: 70 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, async (texts) => {
        const [message] = (await asServerReads(encodeFrame(1, texts), 'message')) as [Buffer];
        assert.equal(message.toString(), texts.join(''));
        assert.equal(textBytes(texts), message.length);
      }),
    );
  });

  test('memory that was given back has the next frame; memory that was not is nobody else’s', async () => {
    const memory = new FrameMemory();
    const taken: Buffer[] = [];
    const take = (length: number): Buffer => {
      const one = memory.take(length);
      taken.push(one);
      return one;
    };
    const first = encodeFrame(1, 'a'.repeat(100_000), take);
    const second = encodeFrame(1, 'b'.repeat(100_000), take);
    assert.notEqual(taken[0]?.buffer, taken[1]?.buffer);
    assert.equal(String((await asServerReads(first, 'message'))[0]), 'a'.repeat(100_000));
    assert.equal(String((await asServerReads(second, 'message'))[0]), 'b'.repeat(100_000));
    memory.giveBack(taken[1] ?? second);
    const third = encodeFrame(1, 'c'.repeat(90_000), take);
    assert.equal(taken[2]?.buffer, taken[1]?.buffer);
    assert.equal(String((await asServerReads(third, 'message'))[0]), 'c'.repeat(90_000));
    for (const length of [10, 60_000, 1_100_000]) {
      const one = memory.take(length);
      memory.giveBack(one);
      assert.notEqual(memory.take(length), one);
    }
  });

  test('a ping brings its payload, a close its code and reason', async () => {
    assert.deepEqual(await asServerReads(encodeFrame(9, '17'), 'ping'), [Buffer.from('17')]);
    assert.deepEqual(await asServerReads(encodeFrame(8, closePayload(1000, 'idle')), 'conclude'), [
      1000,
      Buffer.from('idle'),
    ]);
    // A reason too long is cut between two characters.
    const [code, reason] = (await asServerReads(encodeFrame(8, closePayload(4000, 'ä'.repeat(100))), 'conclude')) as [
      number,
      Buffer,
    ];
    assert.deepEqual([code, reason.toString()], [4000, 'ä'.repeat(61)]);
  });

  test('1005 and 1006 stand for no close frame, and are never sent', () => {
    for (const code of [1005, 1006, 1015, 999]) assert.equal(closePayload(code, 'x').length, 0);
  });

  test('no two frames are masked alike', () => {
    const masks = new Set(Array.from({ length: 1000 }, () => encodeFrame(1, '{}').readUInt32BE(2)));
    assert.ok(masks.size > 990, `${masks.size} different keys of 1000`);
  });
});
