import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Frame } from '../../dist/protocol/frame.js';
import { streamIdOf } from '../../dist/pool/stream-id.js';

const delta = '"type":"response.output_text.delta"';

describe('stream_id of a frame', () => {
  // Expected: what JSON.parse of the same text says.
  for (const text of [
    `{${delta},"delta":"x","stream_id":"lane-1"}`,
    `{${delta},"stream_id":"lane-1","delta":"x"}`,
    `{${delta},"stream_id": "lane-1","delta":"x"}`,
    `{${delta},"stream_id":null,"delta":"x"}`,
    `{${delta},"stream_id":5,"delta":"x"}`,
    `{${delta},"stream_id":"lane\\u002d1","delta":"x"}`,
    `{${delta},"stream\\u005fid":"lane-1","delta":"x"}`,
    `{${delta},"delta":"\\"stream_id\\":\\"lane-2\\"","stream_id":"lane-1"}`,
    `{${delta},"delta":"stream_id"}`,
    `{${delta},"delta":"x"}`,
    `{${delta},"x\\"stream_id":"lane-2"}`,
    `{${delta},"a":"stream_id","stream_id":"lane-1"}`,
    `{${delta},"nested":{"stream_id":"lane-2"},"stream_id":"lane-1"}`,
    '{"type":"response.created","response":{"metadata":{"stream_id":"lane-2"}},"stream_id":"lane-1"}',
    '{"type":"response.created","response":{"metadata":{"stream_id":"lane-2"}}}',
    '{"type":"error","stream_id":"lane-1","error":{}}',
    '{"stream_id":"lane-1","type":"response.output_text.delta"}',
  ])
    test(`F5: the lane of ${text}`, () => {
      const expected: unknown = (JSON.parse(text) as { stream_id?: unknown }).stream_id;
      assert.deepEqual(streamIdOf(Frame.peek(text)), expected);
    });

  test('a delta with its lane in plain sight is not parsed', () => {
    const frame = Frame.peek(`{${delta},"delta":"x","stream_id":"lane-1"}`);
    assert.equal(streamIdOf(frame), 'lane-1');
    assert.equal(frame.parsed, false);
  });
});
