import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputItem } from '@turnwire/client';
import { createSession } from '../../dist/agent/session.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import { z } from 'zod';
import { agent } from './agent.js';
import { call, say, scriptedClient } from './scripted-client.js';

const picture = { type: 'input_image' as const, image_url: `data:image/png;base64,${'AAAA'.repeat(100)}` };
const show = defineTool({
  name: 'show',
  description: 'Shows.',
  readOnly: true,
  input: z.object({}),
  run: () => Promise.resolve([{ type: 'input_text' as const, text: 'a chart' }, picture]),
});

/** The items that the model is sent in its last turn, after a prompt and a tool have brought a picture. */
async function sent(takesImages: boolean): Promise<readonly InputItem[]> {
  const client = scriptedClient([{ output: [call('1', 'show', {})] }, { output: [say('A chart.')] }]);
  const session = createSession({
    client,
    agent: { ...agent, model: { ...agent.model, takesImages } },
    tools: [show],
    approval: 'yolo',
  });
  for await (const _event of session.run('What is it?', { attached: [picture] }));
  return client.asked.at(-1)?.input as readonly InputItem[];
}

test('capabilities: a model without images is sent their type and size, and all texts', async () => {
  const left = { type: 'input_text', text: '[image/png, 300 bytes: not sent, because the model takes no images]' };
  const [prompt, , output] = await sent(false);
  assert.deepEqual(prompt, {
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text: 'What is it?' }, left],
  });
  assert.deepEqual(output, {
    type: 'function_call_output',
    call_id: '1',
    output: [{ type: 'input_text', text: 'a chart' }, left],
  });
});

test('capabilities: a model with images is sent them as they are', async () => {
  const [prompt, , output] = await sent(true);
  assert.ok(JSON.stringify(prompt).includes(picture.image_url));
  assert.ok(JSON.stringify(output).includes(picture.image_url));
});
