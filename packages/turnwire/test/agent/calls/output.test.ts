import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession } from '../../../dist/agent/session.js';
import { imageContent } from '../../../dist/agent/tools/image.js';
import { outputText, toOutput, withNote } from '../../../dist/agent/tools/output.js';
import type { Tool, ToolContent } from '../../../dist/agent/tools/tool.js';
import { agent } from '../agent.js';
import { call, say, scriptedClient } from '../scripted-client.js';

/** One white pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const picture: ToolContent = { type: 'input_image', image_url: `data:image/png;base64,${pixel}` };
const text = (said: string): ToolContent => ({ type: 'input_text', text: said });

describe('output of a tool', () => {
  test('texts alone become a string, texts beside images one part each', () => {
    assert.equal(toOutput([text('a'), text('b')]), 'a\nb');
    assert.deepEqual(toOutput([text('a'), text('b'), picture, text('c')]), [text('a\nb'), picture, text('c')]);
  });

  test('the text of an image is its type and its size', () => {
    assert.equal(outputText([text('before'), picture]), 'before\n[image/png, 70 bytes]');
  });

  test('a note is put behind the text, or behind an image', () => {
    assert.equal(withNote('a', '!'), 'a!');
    assert.deepEqual(withNote([picture], '!'), [picture, text('!')]);
    assert.deepEqual(withNote([picture], ''), [picture]);
  });
});

describe('image for the model', () => {
  const image = (hex: string): ToolContent => imageContent(Buffer.from(hex, 'hex'), 'the image');
  const typeOf = (part: ToolContent): string =>
    part.type === 'input_image' ? part.image_url.slice(0, part.image_url.indexOf(';')) : part.text;

  test('the type of an image is taken from its bytes, whatever its name', () => {
    assert.deepEqual(imageContent(Buffer.from(pixel, 'base64'), 'the image'), picture);
    assert.equal(typeOf(image('ffd8ffe000104a464946')), 'data:image/jpeg');
    assert.equal(typeOf(image(Buffer.from('GIF89a').toString('hex'))), 'data:image/gif');
    assert.equal(typeOf(image(`52494646000a0000${Buffer.from('WEBP').toString('hex')}`)), 'data:image/webp');
  });

  test('an image that the API would refuse is replaced by a sentence with its name', () => {
    assert.deepEqual(image('424d'), text('[the image is not shown: it is no PNG, JPEG, GIF or WebP]'));
    assert.deepEqual(image(''), text('[the image is not shown: it is no PNG, JPEG, GIF or WebP]'));
    const large = Buffer.concat([Buffer.from(pixel, 'base64'), Buffer.alloc(5 * 1024 * 1024)]);
    assert.deepEqual(imageContent(large, 'big.png'), text('[big.png is not shown: it has 5.0 MiB, more than 4.0 MiB]'));
  });
});

describe('output of a call', () => {
  test('an image from a call goes to the model, and its type and size into an event', async () => {
    const tool: Tool = {
      name: 'look',
      description: 'Looks.',
      parameters: { type: 'object', properties: {} },
      readOnly: true,
      check: () => undefined,
      run: () => Promise.resolve([text('seen'), picture]),
    };
    const client = scriptedClient([{ output: [call('c1', 'look', {})] }, { output: [say('done')] }]);
    const session = createSession({ agent, client, tools: [tool], approval: 'yolo' });
    const events: AgentEvent[] = [];
    for await (const event of session.run('Look.')) events.push(event);
    const answered = events.find((event) => event.type === 'tool_call_response');
    assert.equal(answered?.response, 'seen\n[image/png, 70 bytes]');
    assert.deepEqual(client.asked[1]?.input?.at(-1), {
      type: 'function_call_output',
      call_id: 'c1',
      output: [text('seen'), picture],
    });
  });
});
