import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, post, type Json } from '../wire.js';

const WEATHER = {
  type: 'function',
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
    required: ['location', 'days'],
  },
};
const TIME = { type: 'function', name: 'get_time', parameters: null };
const SEARCH = { type: 'web_search' };

async function asker(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return async (body: object): Promise<readonly Json[]> => {
    const response = await post(emulator.url, { model: 'm', input: 'Bonn?', ...body });
    const answer = json(await response.text());
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer['output'];
  };
}

const said = (output: readonly Json[]) => output.map((item) => item['name'] ?? item['content'][0]['text']);

test('an echo calls the function that tool_choice demands, with the smallest arguments its schema allows', async (t) => {
  const ask = await asker(t, {});
  const [call] = await ask({ tools: [SEARCH, TIME, WEATHER], tool_choice: { type: 'function', name: 'get_weather' } });
  assert.equal(call?.['name'], 'get_weather');
  assert.deepEqual(json(call?.['arguments']), { location: 'example', days: 2 });

  const [first] = await ask({ tools: [SEARCH, TIME, WEATHER], tool_choice: 'required' });
  assert.deepEqual([first?.['name'], json(first?.['arguments'])], ['get_time', {}]);
  const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'get_weather' }] };
  assert.deepEqual(said(await ask({ tools: [TIME, WEATHER], tool_choice: allowed })), ['get_weather']);
  const [custom] = await ask({ tools: [{ type: 'custom', name: 'sql' }], tool_choice: 'required' });
  assert.deepEqual([custom?.['type'], custom?.['name']], ['custom_tool_call', 'sql']);
});

test('an echo calls no tool without a demand, except in the dialect openresponses', async (t) => {
  for (const dialect of ['openai', 'azure', 'xai', 'vercel'] as const) {
    const ask = await asker(t, { dialect });
    assert.deepEqual(said(await ask({ tools: [WEATHER] })), ['Bonn?']);
  }
  const ask = await asker(t, { dialect: 'openresponses' });
  assert.deepEqual(said(await ask({ tools: [WEATHER], tool_choice: 'none' })), ['Bonn?']);
  assert.deepEqual(said(await ask({ tools: [SEARCH] })), ['Bonn?']);
  assert.deepEqual(said(await ask({})), ['Bonn?']);
});

test('P114, openresponses: the echo calls an offered function once, then repeats its output', async (t) => {
  const ask = await asker(t, { dialect: 'openresponses' });
  const user = { type: 'message', role: 'user', content: "What's the weather like?" };
  const calls = await ask({ input: [user], tools: [TIME, WEATHER] });
  assert.deepEqual(
    calls.map(({ type, name }) => [type, name]),
    [['function_call', 'get_time']],
  );
  const output = { type: 'function_call_output', call_id: calls[0]?.['call_id'], output: 'Noon.' };
  assert.deepEqual(said(await ask({ input: [user, ...calls, output], tools: [TIME, WEATHER] })), ['Noon.']);
});
