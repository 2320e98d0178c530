import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { NotFoundError } from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { startEmulator, type EmulatorOptions, type Script } from '../../dist/index.js';

// The official SDK builds a response from the events, which must equal the response in the terminal event.

async function start(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return new OpenAI({ baseURL: emulator.url, apiKey: 'sk-test', maxRetries: 0 });
}

const EVERYTHING: Script = {
  turns: [
    {
      output: [
        { reasoning: ['One thought.', 'Another.'] },
        { tool: { type: 'web_search_call', action: { type: 'search', query: 'q' } } },
        { tool: { type: 'file_search_call', queries: ['q'] } },
        { tool: { type: 'code_interpreter_call', code: 'print(1)' } },
        { tool: { type: 'image_generation_call', result: 'AAAA', partial_images: ['AA'] } },
        { tool: { type: 'mcp_list_tools', server_label: 's', tools: [{ name: 'f' }] } },
        { tool: { type: 'mcp_call', server_label: 's', name: 'f', output: 'ok' } },
        { tool: { type: 'shell_call', commands: ['ls'], container_id: 'cntr_1' } },
        { tool: { type: 'shell_call_output', output: [{ stdout: 'a' }] } },
        { tool: { type: 'tool_search_call', arguments: { paths: ['f'] } } },
        { text: 'It is so.', annotations: [{ type: 'url_citation', url: 'https://example.com' }] },
        { refusal: 'But not that.' },
        { call: { name: 'f', arguments: { a: 1 } } },
        { call: { name: 'sql', input: 'SELECT 1' } },
        { tool: { type: 'apply_patch_call', operation: { type: 'delete_file', path: 'a' } } },
        { tool: { type: 'computer_call', actions: [{ type: 'screenshot' }] } },
        { tool: { type: 'mcp_approval_request', server_label: 's', name: 'f' } },
      ],
    },
  ],
};

/** A response without the fields that the SDK adds when it parses one. */
function plain(response: Response): unknown {
  const { output_text: _, ...rest } = response;
  return JSON.parse(
    JSON.stringify(rest, (key, value: unknown) =>
      key === 'parsed' || key === 'parsed_arguments' || key === 'output_parsed' ? undefined : value,
    ),
  );
}

test('responses.stream() of the SDK builds every kind of item as it is in the terminal response', async (t) => {
  const client = await start(t, { script: EVERYTHING });
  const stream = client.responses.stream({ model: 'm', input: 'x', include: ['message.output_text.logprobs'] });
  let last: ResponseStreamEvent | undefined;
  for await (const event of stream) last = event;
  const final = await stream.finalResponse();
  assert.ok(last?.type === 'response.completed');
  assert.deepEqual(plain(final), plain(last.response));
  assert.equal(final.output.length, 17);
  const stored = await client.responses.retrieve(final.id);
  assert.deepEqual(plain(final), plain(stored));
  assert.equal(final.output_text, 'It is so.');
});

test('the deltas of each item add up to the item', async (t) => {
  const client = await start(t, { script: EVERYTHING });
  const built = new Map<string, string>();
  let final: Response | undefined;
  for await (const event of await client.responses.create({ model: 'm', input: 'x', stream: true })) {
    if ('delta' in event && typeof event.delta === 'string' && 'item_id' in event) {
      built.set(event.item_id, (built.get(event.item_id) ?? '') + event.delta);
    }
    if (event.type === 'response.completed') final = event.response;
  }
  const whole = new Map<string, string>();
  for (const item of final?.output ?? assert.fail()) {
    if (item.type === 'reasoning') whole.set(item.id, item.summary.map((part) => part.text).join(''));
    if (item.type === 'message') {
      whole.set(item.id, item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join(''));
    }
    if (item.type === 'function_call' || item.type === 'mcp_call') whole.set(item.id ?? '', item.arguments);
    if (item.type === 'custom_tool_call') whole.set(item.id ?? '', item.input);
    if (item.type === 'code_interpreter_call') whole.set(item.id, item.code ?? '');
  }
  assert.deepEqual(built, whole);
});

test('the SDK lists input items, counts tokens, compacts, lists models, resumes background responses and deletes', async (t) => {
  const client = await start(t, {});
  const first = await client.responses.create({ model: 'm', input: 'one' });
  const second = await client.responses.create({ model: 'm', input: 'two', previous_response_id: first.id });
  const listed: string[] = [];
  for await (const item of client.responses.inputItems.list(second.id, { limit: 1 })) listed.push(item.type);
  assert.deepEqual(listed, ['message', 'message', 'message']);
  const counted = await client.responses.inputTokens.count({ model: 'm', input: 'one' });
  assert.equal(counted.input_tokens, first.usage?.input_tokens);
  const compacted = await client.responses.compact({ model: 'm', previous_response_id: second.id });
  assert.equal(compacted.output.at(-1)?.type, 'compaction');
  assert.equal((await client.models.retrieve('emulator')).id, 'emulator');

  const background = await client.responses.create({ model: 'm', input: 'three', background: true });
  assert.equal(background.status, 'queued');
  const types: string[] = [];
  for await (const event of await client.responses.retrieve(background.id, { stream: true, starting_after: 2 })) {
    types.push(event.type);
  }
  assert.deepEqual([types[0], types.at(-1)], ['response.output_item.added', 'response.completed']);
  assert.equal((await client.responses.cancel(background.id)).status, 'completed');
  await client.responses.delete(background.id);
  await assert.rejects(client.responses.retrieve(background.id), NotFoundError);
});

test('structured output is parsed by the SDK', async (t) => {
  const client = await start(t, {});
  const parsed = await client.responses.parse({
    model: 'm',
    input: 'Ada',
    text: {
      format: {
        type: 'json_schema',
        name: 'person',
        strict: true,
        schema: {
          type: 'object',
          properties: { name: { type: 'string' } },
          required: ['name'],
          additionalProperties: false,
        },
      },
    },
  });
  assert.deepEqual(JSON.parse(parsed.output_text), { name: 'Ada' });
});
