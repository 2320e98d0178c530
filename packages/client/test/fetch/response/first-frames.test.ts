import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readToEnd } from '../../../dist/fetch/response/read-to-end.js';
import { readFirstFrames } from '../../../dist/fetch/response/first-frames.js';
import { readerOf } from '../frames.js';

const limits = '{"type":"codex.rate_limits"}';
const created = '{"type":"response.created","response":{"id":"resp_1"}}';

describe('first frames of a response', () => {
  test('F11: events that say nothing of the answer do not decide its status', async () => {
    const frames = readerOf(
      [limits],
      ['{"type":"keepalive"}'],
      [created, '{"type":"response.in_progress","response":{}}'],
    );
    assert.deepEqual(
      (await readFirstFrames(frames)).map(({ type }) => type),
      ['codex.rate_limits', 'keepalive', 'response.created'],
    );
    await assert.rejects(readFirstFrames(readerOf([limits], new Error('refused'))), /refused/);
  });

  test('but not for ever', async () => {
    const held = await readFirstFrames(readerOf(Array.from({ length: 1000 }, () => limits)));
    assert(held.length < 1000);
  });

  test('the ending is the last frame that says something of the whole', async () => {
    const [delta, completed] = ['{"type":"response.output_text.delta"}', '{"type":"response.completed","response":{}}'];
    const { last, headers } = await readToEnd(readerOf([created, delta], [delta, completed]));
    assert.equal(last?.text, completed);
    assert.deepEqual(headers, {});
    await assert.rejects(readToEnd(readerOf([created, delta], new Error('gone'))), /gone/);
  });
});
