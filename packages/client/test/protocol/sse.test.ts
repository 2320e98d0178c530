import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { EventTooLargeError, SseReader } from '../../dist/protocol/sse.js';

function read(chunks: Iterable<Buffer>, maxBytes = 1000, { ends = false } = {}): string[] {
  const found: string[] = [];
  const reader = new SseReader({
    maxBytes,
    onData: (data, bytes) => {
      found.push(data);
      assert.equal(bytes, Buffer.byteLength(data));
    },
  });
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    reader.push(lent);
    // The next piece is read into the same memory.
    lent.fill(0xff);
  }
  if (ends) reader.end();
  return found;
}

/** Bodies, and the data of their events by the rules of the HTML standard. */
const bodies: readonly [name: string, body: string, data: string[]][] = [
  ['one event', 'data: a\n\n', ['a']],
  ['no space after the colon', 'data:a\n\n', ['a']],
  ['one space is taken, more stay', 'data:  a \n\n', [' a ']],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['all line ends mixed', 'data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\n', ['a\nb\nc', 'd']],
  ['several data lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['data without a colon', 'data\n\n', ['']],
  ['an empty data field', 'data:\n\n', ['']],
  ['an empty line in the data', 'data: a\ndata:\ndata: b\n\n', ['a\n\nb']],
  ['comments', ': hi\ndata: a\n:\n: ho\n\n', ['a']],
  ['other fields', 'event: x\nid: 1\nretry: 5\ndata: a\nunknown: y\n\n', ['a']],
  ['fields that only begin like data', 'database: x\ndata2: y\ndat: z\n\n', []],
  ['an event without data', 'event: x\n\n', []],
  ['empty lines', '\n\n\r\n\rdata: a\n\n\n\n', ['a']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
  ['a byte order mark later on', 'data: a\n\n\ufeffdata: b\n\n', ['a']],
  ['an event that never ends', 'data: a\n\ndata: b\n', ['a']],
  ['a line that never ends', 'data: a\n\ndata: b', ['a']],
  ['characters of 2, 3 and 4 bytes', 'data: é€😀\n\n', ['é€😀']],
  ['U+2028 is no line end', 'data: a\u2028b\n\n', ['a\u2028b']],
  ['nothing', '', []],
];

describe('SSE reader', () => {
  test('the name of an event is that of its own event field', () => {
    const named: [data: string, name: string][] = [];
    const reader = new SseReader({ maxBytes: 1000, onData: (data, _, name) => void named.push([data, name]) });
    reader.push(
      Buffer.from('event: a\ndata: 1\n\ndata: 2\nevent:b\n\nevent: c\n\ndata: 3\n\nevent: x\nevent: d\ndata: 4\n\n'),
    );
    assert.deepEqual(named, [
      ['1', 'a'],
      ['2', 'b'],
      ['3', ''],
      ['4', 'd'],
    ]);
  });

  for (const [name, body, data] of bodies) {
    test(`${name}, in one piece and byte by byte`, () => {
      const bytes = Buffer.from(body);
      assert.deepEqual(read([bytes]), data);
      assert.deepEqual(read([...bytes].map((byte) => Buffer.from([byte]))), data);
    });
  }

  for (const [name, body, data] of [
    ['an event without its empty line', 'data: a\n\ndata: b\n', ['a', 'b']],
    ['a line without its end', 'data: a\n\nevent: x\ndata: b', ['a', 'b']],
    ['a line that ends in CR', 'data: a\r', ['a']],
    ['an event that is whole', 'data: a\n\n', ['a']],
    ['a comment without its end', 'data: a\n\n: keep', ['a']],
    ['nothing', '', []],
  ] as const)
    test(`Q1: a body that ends after ${name}, in one piece and byte by byte`, () => {
      const bytes = Buffer.from(body);
      const byByte = [...bytes].map((byte) => Buffer.from([byte]));
      for (const chunks of [[bytes], byByte]) assert.deepEqual(read(chunks, 1000, { ends: true }), data);
    });

  test('P26: however a body is cut, its events are the same', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
      fc.constantFrom('', '', ': comment', 'event: x', 'data', 'data:', 'data: [DONE]'),
    );
    const body = fc
      .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
      .map((lines) => Buffer.from(lines.flat().join('')));
    fc.assert(
      fc.property(body, fc.array(fc.nat({ max: 30 }), { maxLength: 40 }), (bytes, sizes) => {
        const chunks: Buffer[] = [];
        let start = 0;
        for (const size of sizes) {
          chunks.push(bytes.subarray(start, start + size));
          start += size;
        }
        chunks.push(bytes.subarray(start));
        assert.deepEqual(read(chunks), read([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  test('a message that is written line by line is read back', () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/\r\n?/g, '\n'));
    fc.assert(
      fc.property(fc.array(text), (messages) => {
        const body = messages.map(
          (message) =>
            `${message
              .split('\n')
              .map((part) => `data: ${part}\n`)
              .join('')}\n`,
        );
        assert.deepEqual(read([Buffer.from(body.join(''))], 1e6), messages);
      }),
    );
  });

  test('an event survives that the owner of its chunk writes over the chunk', () => {
    const chunk = Buffer.from('data: a');
    const found: string[] = [];
    const reader = new SseReader({ maxBytes: 100, onData: (data) => found.push(data) });
    reader.push(chunk);
    chunk.fill(0x7a);
    reader.push(Buffer.from('b\n\n'));
    assert.deepEqual(found, ['ab']);
  });

  for (const [name, body] of Object.entries({
    'one long line': `data: ${'x'.repeat(200)}`,
    'many lines of one event': 'data: x\n'.repeat(60),
    'a long comment': `: ${'x'.repeat(200)}`,
  })) {
    test(`${name}: an event beyond the limit is refused as soon as it is`, () => {
      assert.throws(
        () =>
          read(
            [...Buffer.from(body)].map((byte) => Buffer.from([byte])),
            100,
          ),
        EventTooLargeError,
      );
    });
  }

  test('the byte limit is for one event, not for the stream', () => {
    assert.equal(read([Buffer.from('data: 0123456789\n\n'.repeat(100))], 20).length, 100);
  });

  test('the limit of an event counts bytes, not characters', () => {
    const event = (count: number): Buffer[] => [Buffer.from(`data: ${'€'.repeat(count)}\n\n`)];
    assert.equal(read(event(10), 30).length, 1);
    assert.throws(() => read(event(11), 30), EventTooLargeError);
  });
});
