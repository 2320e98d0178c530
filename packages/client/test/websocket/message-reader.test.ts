// F10, N7, N8: frames as RFC 6455 and the library `ws` write them, in whatever pieces they come.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { cut, readMessages } from './messages.js';
import type { ReadMessage } from './messages.js';

/** The examples of RFC 6455, 5.7. */
const examples: Record<string, { bytes: number[]; heard: ReadMessage[] }> = {
  'a text in one frame': { bytes: [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], heard: [['message', 'Hello']] },
  'a text in fragments': {
    bytes: [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f],
    heard: [['message', 'Hello']],
  },
  'a ping': { bytes: [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], heard: [['ping', 'Hello']] },
  'a pong': { bytes: [0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], heard: [['pong', 'Hello']] },
  'a masked text, as only clients send it': {
    bytes: [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
    heard: [['violation', 'a masked frame']],
  },
  'a close with a code and a reason': { bytes: [0x88, 0x04, 0x03, 0xe8, 0x6f, 0x6b], heard: [['closing', 1000, 'ok']] },
  'Q9: a close whose reason is cut within a character': {
    bytes: [0x88, 0x04, 0x03, 0xf4, 0x78, 0xc3],
    heard: [['closing', 1012, 'x\ufffd']],
  },
  'a close without a code': { bytes: [0x88, 0x00], heard: [['closing', 1005, '']] },
};
describe('WebSocket message reader', () => {
  for (const [name, { bytes, heard }] of Object.entries(examples)) {
    test(`${name} is read, whole and byte by byte`, () => {
      assert.deepEqual(readMessages([Buffer.from(bytes)]), heard);
      assert.deepEqual(readMessages(bytes.map((byte) => Buffer.from([byte]))), heard);
    });
  }

  interface Fragment {
    first: boolean;
    last: boolean;
  }

  // Its types leave it out.
  const { Sender } = ws as unknown as { Sender: { frame: (payload: Buffer, options: object) => Buffer[] } };

  /** As `ws` writes them on the side of a server. */
  function frame(payload: Buffer, opcode: number, { first, last }: Fragment = { first: true, last: true }): Buffer {
    const options = { fin: last, opcode: first ? opcode : 0, mask: false, readOnly: true, rsv1: false };
    return Buffer.concat(Sender.frame(payload, options));
  }

  interface Said {
    kind: 'message' | 'ping' | 'pong';
    text: string;
    /** In fragments of so many bytes, cut also within a character, with a ping after each. */
    size: number | undefined;
  }

  const opcodes = { message: 1, ping: 9, pong: 10 };

  function encode({ kind, text, size }: Said): Buffer[] {
    const bytes = Buffer.from(text);
    if (kind !== 'message' || size === undefined || bytes.length === 0) return [frame(bytes, opcodes[kind])];
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => {
      const at = index * size;
      return frame(bytes.subarray(at, at + size), 1, { first: at === 0, last: at + size >= bytes.length });
    }).flatMap((part, index, { length }) => (index + 1 < length ? [part, frame(Buffer.from('still'), 9)] : [part]));
  }

  function heardOf({ kind, text, size }: Said): ReadMessage[] {
    const bytes = Buffer.from(text);
    const pings = kind === 'message' && size !== undefined ? Math.max(0, Math.ceil(bytes.length / size) - 1) : 0;
    return [...Array.from({ length: pings }, (): ReadMessage => ['ping', 'still']), [kind, bytes.toString()]];
  }

  const said: fc.Arbitrary<Said> = fc.oneof(
    fc.record({
      kind: fc.constant('message' as const),
      text: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('\ufffd', '', 'x'.repeat(66_000))),
      size: fc.oneof(fc.constant(undefined), fc.integer({ min: 100, max: 30_000 }), fc.constant(7)),
    }),
    fc.record({
      kind: fc.constantFrom('ping' as const, 'pong' as const),
      text: fc.string({ maxLength: 100 }),
      size: fc.constant(undefined),
    }),
  );

  test('messages that ws has encoded are read as they were sent, in whatever pieces the bytes come', () => {
    fc.assert(
      fc.property(
        fc.array(said, { maxLength: 8 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 80_000 })), { maxLength: 200 }),
        (all, lengths) => {
          const heard = readMessages(cut(Buffer.concat(all.flatMap(encode)), lengths), { maxFragments: 20_000 });
          assert.deepEqual(heard, all.flatMap(heardOf));
        },
      ),
    );
  });

  /** What no server may send, and what is said of it. */
  const violations: Record<string, { bytes: Buffer; limits?: object; said: RegExp }> = {
    'half a character at the end of a text': { bytes: frame(Buffer.from([0x7b, 0xe2, 0x82]), 1), said: /not UTF-8/ },
    'more bytes than a message may have': {
      bytes: frame(Buffer.alloc(101), 1),
      limits: { maxBytes: 100 },
      said: /more than 100 bytes/,
    },
    'more bytes in fragments': {
      bytes: Buffer.concat([
        frame(Buffer.alloc(60), 1, { first: true, last: false }),
        frame(Buffer.alloc(60), 1, { first: false, last: false }),
      ]),
      limits: { maxBytes: 100 },
      said: /more than 100 bytes/,
    },
    'more fragments than a message may have': {
      bytes: Buffer.concat([
        frame(Buffer.from('a'), 1, { first: true, last: false }),
        frame(Buffer.alloc(0), 1, { first: false, last: false }),
        frame(Buffer.alloc(0), 1, { first: false, last: true }),
      ]),
      limits: { maxFragments: 2 },
      said: /more than 2 fragments/,
    },
    'a message within a message': {
      bytes: Buffer.concat([frame(Buffer.from('a'), 1, { first: true, last: false }), frame(Buffer.from('b'), 1)]),
      said: /a message within a message/,
    },
  };
  for (const [name, { bytes, limits = {}, said: expected }] of Object.entries(violations)) {
    test(`${name}: a violation, and nothing is heard after it`, () => {
      const heard = readMessages([Buffer.concat([bytes, frame(Buffer.from('later'), 1)])], limits);
      assert.equal(heard.length, 1);
      assert.equal(heard[0]?.[0], 'violation');
      assert.match(heard[0][1], expected);
    });
  }

  test('a head alone is enough to refuse a frame', () => {
    assert.deepEqual(readMessages([frame(Buffer.alloc(5000), 2).subarray(0, 4)]), [
      ['violation', 'a binary frame, which this protocol does not have'],
    ]);
    const tooLong = frame(Buffer.alloc(70_000), 1).subarray(0, 10);
    assert.deepEqual(readMessages([tooLong], { maxBytes: 69_999 }), [
      ['violation', 'a message of more than 69999 bytes'],
    ]);
  });

  test('nothing is read after a close frame', () => {
    const close = frame(Buffer.from([0x03, 0xe9]), 8);
    assert.deepEqual(
      readMessages([Buffer.concat([close, frame(Buffer.from('late'), 1)]), frame(Buffer.from('later'), 1)]),
      [['closing', 1001, '']],
    );
  });

  test('a long text that came in pieces is read whole, and its UTF-8 is checked', () => {
    const texts = ['ä'.repeat(50_000), 'b', `${'x'.repeat(20_000)}\u{1F600}`];
    const bytes = Buffer.concat(texts.map((text) => frame(Buffer.from(text), 1)));
    const thousands = Array.from({ length: 200 }, () => 1001);
    assert.deepEqual(
      readMessages(cut(bytes, thousands)),
      texts.map((text) => ['message', text]),
    );
    const broken = frame(Buffer.concat([Buffer.from('x'.repeat(20_000)), Buffer.from([0xe2, 0x82])]), 1);
    assert.deepEqual(readMessages(cut(broken, thousands)), [['violation', 'a text that is not UTF-8']]);
  });
});
