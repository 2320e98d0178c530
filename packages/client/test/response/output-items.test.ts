// F2: the output of a response, and its text.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OutputItems, textOf } from '../../dist/response/output-items.js';
import { FrameQueue } from '../../dist/turn/buffer/frame-queue.js';
import { Frame } from '../../dist/protocol/frame.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';
import type { Response } from '../../dist/protocol/response.js';

const done = (index: unknown, item: unknown): ResponseEvent =>
  ({ type: 'response.output_item.done', output_index: index, item }) as unknown as ResponseEvent;
const response = (output?: unknown): Response =>
  ({ id: 'r', ...(output === undefined ? {} : { output }) }) as unknown as Response;

describe('output items', () => {
  test('items come in the order of their index; the last word on an index counts', () => {
    const output = new OutputItems();
    for (const event of [done(2, { id: 'c' }), done(0, { id: 'x' }), done(0, { id: 'a' }), done(1, { id: 'b' })])
      output.read(event, 1);
    for (const given of [[], null, undefined])
      assert.deepEqual(output.complete(response(given)).output, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    const whole = response([{ id: 'z' }]);
    assert.equal(output.complete(whole), whole);
  });

  test('items without an index keep their order; what is no item is left out', () => {
    const output = new OutputItems();
    for (const event of [done(undefined, { id: 'a' }), done(undefined, { id: 'b' }), done(0, null), done(9, 'x')])
      output.read(event, 1);
    assert.deepEqual(output.complete(response()).output, [{ id: 'a' }, { id: 'b' }]);
  });

  test('without any item the output is empty, not missing', () => {
    assert.deepEqual(new OutputItems().complete(response()).output, []);
    assert.deepEqual(new OutputItems().complete(response([])).output, []);
  });

  test('nothing is held where pieces are not kept and items are neither finished nor in the end', () => {
    const held = (frames: readonly object[], finished: number, end: unknown): unknown => {
      const output = new OutputItems(false);
      for (const frame of frames) output.add(Frame.parse(JSON.stringify(frame)));
      for (let index = 0; index < finished; index += 1) output.read(done(index, { id: `i${index}` }), 1);
      const given = response(end);
      return output.stored(output.complete(given), given)?.output;
    };
    const added = { type: 'response.output_item.added' };
    const delta = { type: 'response.output_text.delta' };
    assert.equal(held([delta], 0, []), undefined);
    assert.equal(held([added, delta, added], 0, []), undefined);
    assert.equal(held([added, added], 0, [{ id: 'i0' }]), undefined);
    assert.equal(held([added, added], 1, [{ id: 'i0' }]), undefined);
    assert.deepEqual(held([added, added], 1, [{ id: 'i0' }, { id: 'i1' }]), [{ id: 'i0' }, { id: 'i1' }]);
    assert.deepEqual(held([added], 1, [{ id: 'i0' }]), [{ id: 'i0' }]);
    assert.deepEqual(held([], 0, []), []);
  });

  test('P127: an interrupted response holds what it has told, and nothing of the items that were begun', () => {
    const output = new OutputItems(false);
    output.add(Frame.parse('{"type":"response.output_item.added"}'));
    const given = { ...response([]), status: 'incomplete', incomplete_details: { reason: 'interrupted' } } as Response;
    assert.deepEqual(output.stored(output.complete(given), given)?.output, []);
  });

  test('of an item that was given out twice alike one form is held, and both where they differ', () => {
    const output = new OutputItems();
    const reasoning = (content: string) => ({ id: 'b', type: 'reasoning', encrypted_content: content });
    output.read(done(0, { id: 'a', type: 'message', content: [{ type: 'output_text', text: 'long' }] }), 1);
    output.read(done(1, reasoning('first')), 1);
    // The same fields in another order.
    const given = response([
      { content: [{ text: 'long', type: 'output_text' }], type: 'message', id: 'a' },
      reasoning('second'),
    ]);
    const held = output.stored(given, given);
    assert.deepEqual(held?.alternates, [undefined, reasoning('first')]);
    assert.deepEqual(held?.output[1], reasoning('second'));
  });

  test('text is that of messages, whatever else stands there', () => {
    const text = (type: string, value: unknown) => ({ type, text: value });
    const message = (content: unknown) => ({ type: 'message', content });
    assert.equal(
      textOf(
        response([
          null,
          { type: 'reasoning', content: [text('output_text', 'no')] },
          message([
            text('output_text', 'a'),
            text('refusal', 'no'),
            null,
            text('output_text', 5),
            text('output_text', 'b'),
          ]),
          message('no'),
          message([text('output_text', 'c')]),
        ]),
      ),
      'abc',
    );
    for (const output of [undefined, null, 'x', []]) assert.equal(textOf(response(output)), '');
  });

  test('a queue gives back in order what was put in, and counts its bytes', () => {
    const queue = new FrameQueue();
    const frames = Array.from({ length: 5000 }, (_, index) =>
      Frame.parse(JSON.stringify({ type: '€', n: 1000 + index })),
    );
    let read = 0;
    // Always one behind, so that it is never empty.
    for (const [index, frame] of frames.entries()) {
      queue.push(frame);
      if (index > 0) assert.equal(queue.shift(), frames[read++]);
      assert.equal(queue.bytes, Buffer.byteLength('{"type":"€","n":1000}'));
    }
    assert.equal(queue.shift(), frames[read]);
    assert.deepEqual([queue.empty, queue.bytes, queue.shift()], [true, 0, undefined]);
  });
});
