import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmulator, type Script } from '../../dist/index.js';
import { openResponsesSchema } from './openresponses-schema.js';
import { json, post, postSse, type Json } from '../wire.js';

// The ten HTTP checks of the public OpenResponses compliance suite, written after the descriptions in P114 and P115.

const schema = openResponsesSchema();
const skip = schema === undefined ? 'the OpenResponses document is not here' : false;

const DIALECTS = ['openai', 'openresponses'] as const;

async function start(t: { after(fn: () => Promise<void>): void }, dialect: (typeof DIALECTS)[number], script?: Script) {
  const emulator = await startEmulator({ dialect, script });
  t.after(() => emulator.close());
  return emulator;
}

async function respond(url: string, body: object): Promise<Json> {
  const response = await post(url, { model: 'm', ...body });
  const answer = json(await response.text());
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(schema?.problem('ResponseResource', answer), undefined);
  assert.equal(answer['status'], 'completed');
  return answer;
}

const CALL: Script = { turns: [{ calls: [{ name: 'get_weather', arguments: { location: 'Bonn' } }] }] };

for (const dialect of DIALECTS) {
  test(
    `P114, ${dialect}: basic-response, system-prompt, multi-turn, assistant-phase, image-input`,
    { skip },
    async (t) => {
      const { url } = await start(t, dialect);
      const user = (content: unknown) => ({ type: 'message', role: 'user', content });
      const assistant = (content: unknown, more = {}) => ({ type: 'message', role: 'assistant', content, ...more });
      const basic = await respond(url, { input: [user('Say hello.')] });
      assert.equal(basic['output'][0]['content'][0]['text'], 'Say hello.');
      await respond(url, { input: [{ type: 'message', role: 'system', content: 'Be brief.' }, user('Say hello.')] });
      await respond(url, { input: [user('My name is Ada.'), assistant('Hello Ada.'), user('What is my name?')] });
      await respond(url, { input: [user('Hi.'), assistant('Thinking.', { phase: 'commentary' }), user('And now?')] });
      const pixel =
        'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
      const image = [
        { type: 'input_text', text: 'What is it?' },
        { type: 'input_image', image_url: pixel },
      ];
      await respond(url, { input: [user(image)] });
    },
  );

  test(`P114, ${dialect}: response-output-phase-schema, tool-calling`, { skip }, async (t) => {
    const phased = await start(t, dialect, { turns: [{ text: 'Done.', phase: 'final_answer' }] });
    const response = await respond(phased.url, { input: 'Hi' });
    assert.equal(response['output'][0]['phase'], 'final_answer');

    const calling = await start(t, dialect, CALL);
    const parameters = { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] };
    const called = await respond(calling.url, {
      input: 'The weather in Bonn?',
      tools: [{ type: 'function', name: 'get_weather', description: 'The weather.', parameters }],
    });
    const [item] = called['output'];
    assert.deepEqual([item['type'], item['name'], item['status']], ['function_call', 'get_weather', 'completed']);
  });

  test(`P114, ${dialect}: streaming-response`, { skip }, async (t) => {
    const { url } = await start(t, dialect, {
      turns: [{ reasoning: ['One.', 'Two.'], text: 'Hello.', refusal: 'No.', calls: [{ name: 'f' }] }],
    });
    const response = await post(url, { model: 'm', input: 'hi', stream: true });
    const blocks = (await response.text()).split('\n\n').filter((block) => block.startsWith('event: '));
    const events = blocks.map((block) => json(block.slice(block.indexOf('\ndata: ') + '\ndata: '.length)));
    for (const event of events) {
      assert.equal(schema?.setContext(event['type']), true, event['type']);
      assert.equal(schema?.event(event), undefined, event['type']);
    }
    assert.equal(events.at(-1)['type'], 'response.completed');
    assert.equal(new Set(events.map(({ type }) => type)).size, 17);
  });

  test(`P114, ${dialect}: compact-response, compact-missing-model`, { skip }, async (t) => {
    const { url } = await start(t, dialect);
    const input = [
      { type: 'message', role: 'user', content: 'One.' },
      { type: 'message', role: 'assistant', content: 'Two.' },
      { type: 'message', role: 'user', content: 'Three.' },
    ];
    const compact = (body: object) => fetch(`${url}/responses/compact`, { method: 'POST', body: JSON.stringify(body) });
    const compacted = json(await (await compact({ model: 'm', input })).text());
    assert.equal(schema?.problem('CompactResource', compacted), undefined);
    assert.equal(compacted['output'].at(-1)['type'], 'compaction');
    await respond(url, { input: [...compacted['output'], { type: 'message', role: 'user', content: 'Four?' }] });

    const refused = await compact({ input });
    assert.equal(refused.status, 400);
    const { error } = json(await refused.text());
    assert.deepEqual([error['code'], error['param']], ['missing_required_parameter', 'model']);
  });
}

test('every event of a rich turn is valid, if the document knows its type', { skip }, async (t) => {
  const emulator = await startEmulator({
    script: {
      turns: [
        {
          output: [
            { reasoning: 'Hm.' },
            {
              text: 'It is so.',
              annotations: [{ type: 'url_citation', url: 'https://example.com', title: 'Example' }],
            },
          ],
          incomplete: 'content_filter',
        },
        { text: 'half', fail: { code: 'server_error', message: 'Broken.' } },
      ],
    },
  });
  t.after(() => emulator.close());
  const include = ['reasoning.encrypted_content', 'message.output_text.logprobs'];
  const first = await postSse(emulator.url, { model: 'm', input: 'a', include, top_logprobs: 2 });
  const id = json(first.at(-1)?.data ?? '')['response']['id'];
  const second = await postSse(emulator.url, { model: 'm', input: 'b', previous_response_id: id });
  const events = [...first, ...second].map(({ data }) => json(data));
  for (const event of events) assert.equal(schema?.event(event), undefined, JSON.stringify(event));
  const types = new Set(events.map(({ type }) => type));
  for (const type of ['response.output_text.annotation.added', 'response.incomplete', 'response.failed']) {
    assert.ok(types.has(type), type);
  }
});
