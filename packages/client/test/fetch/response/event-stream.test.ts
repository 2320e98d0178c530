import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventStream, toEvent } from '../../../dist/fetch/response/event-stream.js';
import { Frame } from '../../../dist/protocol/frame.js';
import { readerOf } from '../frames.js';

const delta = (text: string): string => `{"type":"response.output_text.delta","delta":"${text}"}`;
const completed = '{"type":"response.completed","response":{}}';
const forms: readonly (readonly [string, (text: string) => string])[] = [['a string', (text: string) => text]];
const unchanged = { signal: undefined, failed: (error: unknown) => error, ended: () => {} };

describe('event stream of createFetch', () => {
  for (const [what, json, expected] of [
    [
      'its type and its text',
      '{"type":"response.x","a":1.0}',
      'event: response.x\ndata: {"type":"response.x","a":1.0}\n\n',
    ],
    ['a line for each line', '{"type":"a",\r\n"b":\n1}', 'event: a\ndata: {"type":"a",\ndata: "b":\ndata: 1}\n\n'],
    ['no event line without a type', '{"error":"x"}', 'data: {"error":"x"}\n\n'],
    ['no event line for a type that breaks it', '{"type":"a\\nb"}', 'data: {"type":"a\\nb"}\n\n'],
  ] as const) {
    test(`P22: an event is ${what}`, () => assert.equal(toEvent(Frame.parse(json)), expected));
  }

  test('events that arrive together are one chunk, and none is asked for before it is wanted', async () => {
    const frames = readerOf([delta('a'), delta('b')], [delta('c'), completed]);
    const reader = eventStream([Frame.peek(delta('first'))], frames, unchanged).getReader();
    assert.equal(frames.asked, 0);
    const chunks: string[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(new TextDecoder().decode(next.value));
      assert(frames.asked <= chunks.length);
    }
    assert.deepEqual(
      chunks.map((chunk) => chunk.match(/^data: .*$/gm)?.length),
      [1, 2, 2],
    );
  });

  for (const [form, as] of forms) {
    test(`a chunk has a bound, an event larger than it, as ${form}, has none, and no character is cut in two`, async () => {
      // Each of these is two units of a string, and four bytes: a bound of them falls into one, whatever stands before it.
      const texts = [delta('\u{1F600}'.repeat(100_000)), delta(`x${'\u{1F600}'.repeat(50_000)}`), completed];
      const reader = eventStream([], readerOf(texts.map(as)), unchanged).getReader();
      const decoder = new TextDecoder('utf-8', { fatal: true });
      let text = '';
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        // 64 Ki units, of at most two bytes each here, and the second half of a character.
        assert(next.value.byteLength <= 2 * 65_536 + 4, `${next.value.byteLength} bytes`);
        // Each chunk by itself is UTF-8.
        text += decoder.decode(next.value);
      }
      assert.equal(text, texts.map((one) => toEvent(Frame.parse(one))).join(''));
    });

    test(`an abort in the middle of the last event, ${form}, leaves the rest of it to be read`, async () => {
      const controller = new AbortController();
      const last = `{"type":"response.completed","response":{"text":"${'x'.repeat(200_000)}"}}`;
      const options = { ...unchanged, signal: controller.signal };
      const reader = eventStream([], readerOf([delta('a'), as(last)]), options).getReader();
      const decoder = new TextDecoder();
      let text = decoder.decode((await reader.read()).value, { stream: true });
      controller.abort();
      for (let next = await reader.read(); !next.done; next = await reader.read())
        text += decoder.decode(next.value, { stream: true });
      assert.equal(text, [delta('a'), last].map((one) => toEvent(Frame.parse(one))).join(''));
    });
  }

  test('P22: a long text of several lines has a data line for each', async () => {
    const text = `{"type":"response.output_text.done",\r\n"text":\n"${'x'.repeat(100_000)}"}`;
    const body = eventStream([], readerOf([text]), unchanged);
    assert.equal(await textOf(body), toEvent(Frame.parse(text)));
  });

  test('each chunk of a long text has memory of its own, a plain Uint8Array: it can be transferred and written', async () => {
    const text = delta('x'.repeat(200_000));
    const frame = text;
    let read = '';
    for await (const chunk of eventStream([], readerOf([frame]), unchanged)) {
      assert.equal(Object.getPrototypeOf(chunk), Uint8Array.prototype);
      const moved = structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
      read += new TextDecoder().decode(moved);
      moved.fill(0);
    }
    assert.equal(read, toEvent(Frame.parse(text)));
    assert.equal(frame, text);
  });

  test('two reads that wait for the same event get one each, and a cancel while one waits is the end', async () => {
    let give: (frame: IteratorResult<Frame, undefined>) => void = () => {};
    let asked = 0;
    const frames = {
      next: () => {
        asked += 1;
        return new Promise<IteratorResult<Frame, undefined>>((resolve) => (give = resolve));
      },
      poll: () => undefined,
      return: () => {
        give({ done: true, value: undefined });
        return Promise.resolve({ done: true, value: undefined } as const);
      },
    };
    const reader = eventStream([], frames, unchanged).getReader();
    const both = [reader.read(), reader.read()];
    await Promise.resolve();
    assert.equal(asked, 1);
    for (const name of ['a', 'b']) {
      give({ done: false, value: Frame.peek(delta(name)) });
      const { value } = await both.shift()!;
      assert.match(new TextDecoder().decode(value), new RegExp(`"delta":"${name}"`));
    }
    const waiting = reader.read();
    await reader.cancel();
    assert.equal((await waiting).done, true);
  });

  test('a reader with buffers of its own gets the same, and the end', async () => {
    const reader = eventStream([], readerOf([delta('ä'), completed]), unchanged).getReader({ mode: 'byob' });
    let text = '';
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(7));
      text += decoder.decode(value, { stream: true });
      if (done) break;
    }
    assert.equal(text, toEvent(Frame.parse(delta('ä'))) + toEvent(Frame.parse(completed)));
  });

  test('a reader with buffers of its own gives the body back: another reader goes on with it', async () => {
    const body = eventStream([], readerOf([delta('a')], [completed]), unchanged);
    const first = body.getReader({ mode: 'byob' });
    const { value } = await first.read(new Uint8Array(1000));
    assert.equal(new TextDecoder().decode(value), toEvent(Frame.parse(delta('a'))));
    assert.equal(body.locked, true);
    assert.throws(() => body.getReader(), TypeError);
    first.releaseLock();
    assert.equal(body.locked, false);
    const second = body.getReader();
    assert.equal(new TextDecoder().decode((await second.read()).value), toEvent(Frame.parse(completed)));
    assert.equal((await second.read()).done, true);
  });

  for (const [how, read] of [
    ['iterated', async (body) => textOf(body)],
    ['piped', async (body) => textOf(body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>()))],
    [
      'piped to an end',
      async (body) => {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        const [, text] = await Promise.all([body.pipeTo(writable), textOf(readable)]);
        return text;
      },
    ],
  ] satisfies [string, (body: ReadableStream<Uint8Array>) => Promise<string>][]) {
    test(`the rest of a body, after a reader with buffers of its own, can be ${how}`, async () => {
      const body = eventStream([], readerOf([delta('a')], [completed]), unchanged);
      const reader = body.getReader({ mode: 'byob' });
      await reader.read(new Uint8Array(1));
      reader.releaseLock();
      assert.equal(`e${await read(body)}`, toEvent(Frame.parse(delta('a'))) + toEvent(Frame.parse(completed)));
    });
  }

  test('a reader of a mode that does not exist is refused, and the body stays readable', async () => {
    const body = eventStream([], readerOf([completed]), unchanged);
    assert.throws(() => body.getReader({ mode: 'bytes' } as never), TypeError);
    assert.equal(await textOf(body), toEvent(Frame.parse(completed)));
  });

  async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
    return text;
  }

  test('X19: a reader with buffers of its own is told of what the frames failed with, and can leave', async () => {
    const failing = eventStream([], readerOf([delta('a')], new Error('gone')), unchanged).getReader({ mode: 'byob' });
    assert.equal((await failing.read(new Uint8Array(1000))).done, false);
    await assert.rejects(failing.read(new Uint8Array(1000)), { message: 'gone' });

    const frames = readerOf([delta('a')]);
    const body = eventStream([], frames, unchanged);
    body.getReader({ mode: 'byob' }).releaseLock();
    await body.cancel();
    assert.equal(frames.left, true);
  });

  test('a clone of the answer has all of it, whatever is done to the chunks of the original', async () => {
    const whole = toEvent(Frame.parse(delta('a'))) + toEvent(Frame.parse(completed));
    const response = new Response(eventStream([], readerOf([delta('a')], [completed]), unchanged));
    const clone = response.clone();
    let text = '';
    for await (const chunk of response.body!) {
      text += new TextDecoder().decode(chunk);
      chunk.fill(0);
    }
    assert.equal(text, whole);
    assert.equal(await clone.text(), whole);
  });

  test('X19: the body fails with the error of the turn, as its caller words it', async () => {
    const frames = readerOf([delta('a')], new Error('gone'));
    const failed = (error: unknown): unknown => new TypeError('told', { cause: error });
    const reader = eventStream([], frames, { ...unchanged, failed }).getReader();
    assert.equal((await reader.read()).done, false);
    await assert.rejects(reader.read(), { name: 'TypeError', message: 'told' });
  });

  test('after an abort nothing more is handed over, but for what follows the end', async () => {
    const controller = new AbortController();
    const options = { ...unchanged, signal: controller.signal };
    const running = eventStream([], readerOf([delta('a')], [delta('b')]), options).getReader();
    const ended = eventStream([], readerOf([delta('a'), completed]), options).getReader();
    await running.read();
    await ended.read();
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(running.read(), (error) => error === reason);
    assert.equal((await ended.read()).done, true);
  });

  test('X16: cancelling leaves the turn, once, and throws nothing', async () => {
    const frames = readerOf([delta('a')]);
    const body = eventStream([], frames, unchanged);
    await body.cancel();
    assert.equal(frames.left, true);
  });
});
