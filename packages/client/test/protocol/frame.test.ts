// P56: what is an event; and what of it is looked into where it is passed on as text.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Frame, FrameError } from '../../dist/protocol/frame.js';

describe('frame', () => {
  for (const [what, text, type, quiet] of [
    ['a long text that is quiet', '{"type":"response.output_text.done","text":"ä"}', 'response.output_text.done', true],
    ['one that ends a turn', '{"type":"response.completed","response":{}}', 'response.completed', false],
    ['one whose type is not ASCII', '{"type":"response.größe"}', 'response.größe', true],
    ['one whose type stands elsewhere', '{"a":1,"type":"response.x"}', 'response.x', true],
    ['one without a type', '{"a":1}', undefined, false],
    [
      'one whose type goes on where no look is taken',
      `{"type":"response.${'x'.repeat(300)}"}`,
      `response.${'x'.repeat(300)}`,
      true,
    ],
  ] as const)
    test(`${what} is the same frame, peeked at or parsed`, () => {
      for (const frame of [Frame.peek(text), Frame.parse(text)]) {
        assert.equal(frame.type, type);
        assert.equal(frame.opaque, quiet);
        assert.equal(frame.text, text);
        assert.deepEqual(frame.event, JSON.parse(text));
      }
    });

  test('a long text that is quiet is not parsed, and counts its bytes', () => {
    const frame = Frame.peek('{"type":"response.output_text.done","text":"ä"}');
    assert.equal(frame.parsed, false);
    assert.equal(frame.size, 48);
  });

  test('the size of a frame is its bytes, whoever counts them', () => {
    const text = '{"type":"response.output_text.delta","delta":"€"}';
    for (const frame of [Frame.peek(text), Frame.parse(text), Frame.peek(text, 51), Frame.parse(text, 51)])
      assert.equal(frame.size, 51);
  });

  for (const text of ['{"type":"response.output_text.done","text":"', '', '[]', '{"type":"response.x"} {}'])
    test(`P56: no event, though long: ${text}`, () => {
      assert.throws(() => Frame.parse(text), FrameError);
      // A peek does not look into what ends as an object does.
      if (!text.endsWith('}')) assert.throws(() => Frame.peek(text), FrameError);
    });
});
