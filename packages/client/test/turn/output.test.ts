// F2: the output of a response, and its text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Output, textOf } from '../../dist/turn/output.js';
import { EventQueue } from '../../dist/turn/event-queue.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';
import type { Response } from '../../dist/protocol/response.js';

const done = (index: unknown, item: unknown): ResponseEvent =>
  ({ type: 'response.output_item.done', output_index: index, item }) as unknown as ResponseEvent;
const response = (output?: unknown): Response =>
  ({ id: 'r', ...(output === undefined ? {} : { output }) }) as unknown as Response;

test('items come in the order of their index; the last word on an index counts', () => {
  const output = new Output();
  for (const event of [done(2, { id: 'c' }), done(0, { id: 'x' }), done(0, { id: 'a' }), done(1, { id: 'b' })])
    output.read(event, 1);
  for (const given of [[], null, undefined])
    assert.deepEqual(output.complete(response(given)).output, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  const whole = response([{ id: 'z' }]);
  assert.equal(output.complete(whole), whole);
});

test('items without an index keep their order; what is no item is left out', () => {
  const output = new Output();
  for (const event of [done(undefined, { id: 'a' }), done(undefined, { id: 'b' }), done(0, null), done(9, 'x')])
    output.read(event, 1);
  assert.deepEqual(output.complete(response()).output, [{ id: 'a' }, { id: 'b' }]);
});

test('without any item the output is empty, not missing', () => {
  assert.deepEqual(new Output().complete(response()).output, []);
  assert.deepEqual(new Output().complete(response([])).output, []);
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
  const queue = new EventQueue();
  let read = 0;
  // Always one behind, so that it is never empty.
  for (let index = 0; index < 5000; index += 1) {
    queue.push(done(index, {}), 10);
    if (index > 0) assert.deepEqual(queue.shift(), done(read++, {}));
    assert.equal(queue.bytes, 10);
  }
  assert.deepEqual(queue.shift(), done(read, {}));
  assert.deepEqual([queue.empty, queue.bytes, queue.shift()], [true, 0, undefined]);
});
