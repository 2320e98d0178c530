import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startEmulator } from '../../dist/index.js';
import { json, post, postJson, postSse, RawSocket, terminal, type Json } from '../wire.js';

type Case = readonly [body: object, code: string | null, param: string];

const fn = { type: 'function', name: 'f', parameters: { type: 'object' } };
const user = (content: unknown) => ({ input: [{ role: 'user', content }] });
const format = (of: unknown) => ({ text: { format: of } });
const closed = { type: 'object', additionalProperties: false };

const P35: readonly Case[] = [
  [{ model: '' }, 'empty_string', 'model'],
  [{ store: 'yes' }, 'invalid_type', 'store'],
  [{ instructions: ['x'] }, 'invalid_type', 'instructions'],
  [{ temperature: 2.5 }, 'decimal_above_max_value', 'temperature'],
  [{ temperature: -1 }, 'decimal_below_min_value', 'temperature'],
  [{ top_p: 1.1 }, 'decimal_above_max_value', 'top_p'],
  [{ top_logprobs: 21 }, 'integer_above_max_value', 'top_logprobs'],
  [{ max_output_tokens: 15 }, 'integer_below_min_value', 'max_output_tokens'],
  [{ max_output_tokens: 20.5 }, 'invalid_type', 'max_output_tokens'],
  [{ max_tool_calls: 0 }, 'integer_below_min_value', 'max_tool_calls'],
  [{ parallel_tool_calls: 1 }, 'invalid_type', 'parallel_tool_calls'],
  [{ truncation: 'maybe' }, 'invalid_value', 'truncation'],
  [{ include: ['everything'] }, 'invalid_value', 'include[0]'],
  [{ include: 'reasoning.encrypted_content' }, 'invalid_type', 'include'],
  [{ service_tier: 'gold' }, 'invalid_value', 'service_tier'],
  [{ safety_identifier: 'x'.repeat(65) }, 'string_above_max_length', 'safety_identifier'],
  [{ prompt_cache_key: 'x'.repeat(65) }, 'string_above_max_length', 'prompt_cache_key'],
  [{ prompt_cache_retention: '1h' }, 'invalid_value', 'prompt_cache_retention'],
  [{ prompt_cache_options: { ttl: '1h' } }, 'invalid_value', 'prompt_cache_options.ttl'],
  [{ metadata: { a: 1 } }, 'invalid_type', 'metadata.a'],
  [{ metadata: { a: 'x'.repeat(513) } }, 'string_above_max_length', 'metadata.a'],
  [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ''])) }, 'invalid_value', 'metadata'],
  [{ reasoning: { effort: 'extreme' } }, 'invalid_value', 'reasoning.effort'],
  [{ reasoning: { summary: 'long' } }, 'invalid_value', 'reasoning.summary'],
  [{ text: { verbosity: 'loud' } }, 'invalid_value', 'text.verbosity'],
  [format({ type: 'xml' }), 'invalid_value', 'text.format.type'],
  [format({ type: 'json_schema', schema: closed }), 'missing_required_parameter', 'text.format.name'],
  [format({ type: 'json_schema', name: 'n' }), 'missing_required_parameter', 'text.format.schema'],
  [
    format({ type: 'json_schema', name: 'n', strict: true, schema: { type: 'object' } }),
    'invalid_json_schema',
    'text.format.schema',
  ],
  [
    format({ type: 'json_schema', name: 'n', strict: true, schema: { ...closed, properties: { a: {} } } }),
    'invalid_json_schema',
    'text.format.schema',
  ],
  [{ context_management: [{ type: 'forget' }] }, 'invalid_value', 'context_management[0].type'],
  [{ conversation: 7 }, 'invalid_type', 'conversation'],
  [{ conversation: {} }, 'missing_required_parameter', 'conversation.id'],
  [{ prompt: {} }, 'missing_required_parameter', 'prompt.id'],
  [{ tools: [{ name: 'f' }] }, 'missing_required_parameter', 'tools[0].type'],
  [{ tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tools[0].name'],
  [{ tools: [{ type: 'function', name: 'a b' }] }, 'invalid_value', 'tools[0].name'],
  [{ tools: [fn, { type: 'mcp' }] }, 'missing_required_parameter', 'tools[1].server_label'],
  [{ tools: [{ type: 'file_search' }] }, 'missing_required_parameter', 'tools[0].vector_store_ids'],
  [{ tool_choice: 'sometimes' }, 'invalid_value', 'tool_choice'],
  [{ tool_choice: 'required' }, null, 'tool_choice'],
  [{ tool_choice: { type: 'function' }, tools: [fn] }, 'missing_required_parameter', 'tool_choice.name'],
  [{ tool_choice: { type: 'function', name: 'g' }, tools: [fn] }, null, 'tool_choice'],
  [
    { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'g' }] }, tools: [fn] },
    null,
    'tool_choice',
  ],
  [{ background: true, store: false }, null, 'store'],
];

const ITEMS: readonly Case[] = [
  [{ input: [{ role: 'user' }] }, 'missing_required_parameter', 'input[0].content'],
  [user([{ text: 'x' }]), 'missing_required_parameter', 'input[0].content[0].type'],
  [user([{ type: 'input_text' }]), 'missing_required_parameter', 'input[0].content[0].text'],
  [user([{ type: 'output_text', text: 'x' }]), 'invalid_value', 'input[0].content[0].type'],
  [
    { input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    'invalid_value',
    'input[0].content[0].type',
  ],
  [user([{ type: 'input_image' }]), 'invalid_value', 'input[0].content[0]'],
  [user([{ type: 'input_image', image_url: 'me.png' }]), 'invalid_value', 'input[0].content[0].image_url'],
  [user([{ type: 'input_image', file_id: 'f', detail: 'sharp' }]), 'invalid_value', 'input[0].content[0].detail'],
  [user([{ type: 'input_file', filename: 'x' }]), 'invalid_value', 'input[0].content[0]'],
  [{ input: [{ role: 'assistant', content: 'x', phase: 'middle' }] }, 'invalid_value', 'input[0].phase'],
  [{ input: [{ type: 'reasoning' }] }, 'missing_required_parameter', 'input[0].summary'],
  [{ input: [{ type: 'function_call', call_id: 'c', name: 'f' }] }, 'missing_required_parameter', 'input[0].arguments'],
  [{ input: [{ type: 'function_call_output', output: 'x' }] }, 'missing_required_parameter', 'input[0].call_id'],
  [{ input: [{ type: 'function_call_output', call_id: 'c', output: 1 }] }, 'invalid_type', 'input[0].output'],
  [
    { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'text', text: '' }] }] },
    'invalid_value',
    'input[0].output[0].type',
  ],
  [{ input: [{ type: 'compaction' }] }, 'missing_required_parameter', 'input[0].encrypted_content'],
  [
    { input: [{ type: 'mcp_approval_response', approval_request_id: 'r', approve: 'yes' }] },
    'invalid_type',
    'input[0].approve',
  ],
];

for (const [rule, cases] of [
  ['P35: a field of a wrong type or out of its range', P35],
  ['a wrong item or content part', ITEMS],
] as const) {
  test(`${rule} is refused with code and param, and named in the message`, async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    for (const [fields, code, param] of cases) {
      const refused = await postJson(emulator.url, { model: 'm', input: 'x', ...fields });
      const name = JSON.stringify(fields);
      assert.equal(refused.httpStatus, 400, name);
      const error: Json = refused['error'];
      assert.deepEqual([error['type'], error['code'], error['param']], ['invalid_request_error', code, param], name);
      assert.doesNotMatch(String(error['message']), /\n|undefined/, name);
    }
  });
}

test('P35: every field is accepted and echoed as it was sent', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const fields = {
    background: false,
    frequency_penalty: 0.5,
    max_output_tokens: 1000,
    max_tool_calls: 3,
    metadata: { a: 'b' },
    parallel_tool_calls: false,
    presence_penalty: -0.5,
    prompt: { id: 'pmpt_1', variables: { a: 'b' }, version: '2' },
    prompt_cache_key: 'k',
    prompt_cache_options: { mode: 'explicit', ttl: '30m' },
    prompt_cache_retention: '24h',
    reasoning: { effort: 'high', summary: 'detailed' },
    safety_identifier: 's',
    service_tier: 'flex',
    text: { format: { type: 'text' }, verbosity: 'low' },
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
    tools: [{ ...fn, description: 'd', strict: false }],
    top_logprobs: 2,
    truncation: 'auto',
    user: 'u',
  };
  const response = await postJson(emulator.url, { model: 'm', input: 'x', ...fields, something_new: 1 });
  assert.equal(response.httpStatus, 200, JSON.stringify(response));
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(response[name], value, name);
});

test('image and file inputs are accepted, are in the context and are counted', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const plain = [{ type: 'input_text', text: 'What is it?' }];
  const rich = [
    ...plain,
    { type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(4000)}`, detail: 'low' },
    { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${'A'.repeat(4000)}` },
  ];
  const without = await postJson(emulator.url, { model: 'm', ...user(plain) });
  const withBoth = await postJson(emulator.url, { model: 'm', ...user(rich) });
  assert.equal(withBoth['output'][0]['content'][0]['text'], 'What is it?');
  assert.ok(withBoth['usage']['input_tokens'] - without['usage']['input_tokens'] >= 2000);
});

const ORPHANS = [
  { type: 'function_call_output', call_id: 'c', output: '' },
  { type: 'custom_tool_call_output', call_id: 'c', output: '' },
  { type: 'shell_call_output', call_id: 'c', output: [] },
  { type: 'apply_patch_call_output', call_id: 'c', status: 'completed' },
  { type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', file_id: 'f' } },
  { type: 'mcp_approval_response', approval_request_id: 'c', approve: true },
];

const DANGLING = [
  { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
  { type: 'custom_tool_call', call_id: 'c', name: 'f', input: '' },
  { type: 'shell_call', call_id: 'c', action: { commands: ['ls'] } },
  { type: 'apply_patch_call', call_id: 'c', operation: { type: 'delete_file', path: 'a' }, status: 'completed' },
  { type: 'computer_call', call_id: 'c', actions: [], pending_safety_checks: [] },
  { type: 'mcp_approval_request', id: 'c', name: 'f', server_label: 's', arguments: '{}' },
];

test('an output without its call, and a call without its output, are refused for every kind of call', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  for (const [index, output] of ORPHANS.entries()) {
    const call = DANGLING[index] ?? assert.fail();
    for (const input of [[output], [call], [output, call]]) {
      const refused = await postJson(emulator.url, { model: 'm', input });
      assert.equal(refused.httpStatus, 400, JSON.stringify(input));
      assert.equal(refused['error']['param'], 'input');
    }
    const answered = await postJson(emulator.url, { model: 'm', input: [call, output] });
    assert.equal(answered.httpStatus, 200, JSON.stringify(answered));
  }
});

test('two items of one id are refused, in one input or over a chain', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const item = { id: 'msg_a', role: 'user', content: 'x' };
  const twice = await postJson(emulator.url, { model: 'm', input: [item, item] });
  assert.equal(twice.httpStatus, 400);
  assert.match(twice['error']['message'], /msg_a/);
  const first = await postJson(emulator.url, { model: 'm', input: 'x' });
  const again = await postJson(emulator.url, {
    model: 'm',
    input: first['output'],
    previous_response_id: first['id'],
  });
  assert.equal(again.httpStatus, 400);
});

test('a model that is not in the option `models` is refused; without the option any model is answered', async (t) => {
  const emulator = await startEmulator({ models: ['gpt-a', 'gpt-b'] });
  t.after(() => emulator.close());
  assert.equal((await postJson(emulator.url, { model: 'gpt-b', input: 'x' })).httpStatus, 200);
  const refused = await postJson(emulator.url, { model: 'gpt-c', input: 'x' });
  assert.deepEqual(
    [refused.httpStatus, refused['error']['code'], refused['error']['param']],
    [400, 'model_not_found', 'model'],
  );
});

test('max_output_tokens cuts the output, and the usage stays within it', async (t) => {
  const emulator = await startEmulator({
    script: {
      rules: [
        { match: { input: 'text' }, reply: { text: 'word '.repeat(100) } },
        {
          match: { input: 'call' },
          reply: { text: 'x'.repeat(40), calls: [{ name: 'f', arguments: { a: 'é'.repeat(90) } }] },
        },
        { match: { input: 'think' }, reply: { reasoning: 'y'.repeat(300), text: 'never said' } },
        { match: { input: 'fits' }, reply: { text: 'z'.repeat(64) } },
      ],
    },
  });
  t.after(() => emulator.close());
  const ask = async (input: string) => postJson(emulator.url, { model: 'm', input, max_output_tokens: 16 });
  for (const input of ['text', 'call', 'think']) {
    const cut = await ask(input);
    assert.equal(cut['status'], 'incomplete', input);
    assert.deepEqual(cut['incomplete_details'], { reason: 'max_output_tokens' });
    assert.ok(cut['usage']['output_tokens'] <= 16 && cut['usage']['output_tokens'] >= 15, input);
    assert.equal(cut['output'].at(-1)['status'], 'incomplete');
  }
  assert.equal((await ask('text'))['output'][0]['content'][0]['text'], 'word '.repeat(100).slice(0, 64));
  assert.equal((await ask('think'))['output'].length, 1);
  assert.equal((await ask('fits'))['status'], 'completed');
});

test('P28: deltas are padded to one length only if the request asks for it', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const deltas = async (stream_options?: object) =>
    (await postSse(emulator.url, { model: 'm', input: 'a longer text', stream_options }))
      .map(({ data }) => json(data))
      .filter((event) => event['type'] === 'response.output_text.delta');
  for (const event of await deltas({ include_obfuscation: true })) {
    assert.equal(event['delta'].length + event['obfuscation'].length, 16);
  }
  for (const event of await deltas()) assert.equal('obfuscation' in event, false);
});

test('P38: prewarm is a warm-up, with no output and an id that can be continued', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const warm = await postJson(emulator.url, { model: 'm', input: 'a', prompt_cache_options: { prewarm: true } });
  assert.deepEqual([warm['status'], warm['output']], ['completed', []]);
  const next = await postJson(emulator.url, { model: 'm', input: 'b', previous_response_id: warm['id'] });
  assert.ok(next['usage']['input_tokens_details']['cached_tokens'] >= warm['usage']['input_tokens'] - 1);
});

describe('deeply nested JSON', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const body = (levels: number) =>
    `{"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":${nested(levels)}}]}`;

  for (const levels of [1000, 50_000]) {
    test(`${levels} levels are refused with a sentence, over HTTP and on a socket`, async (t) => {
      const emulator = await startEmulator();
      t.after(() => emulator.close());
      const response = await post(emulator.url, body(levels));
      const { error } = json(await response.text());
      assert.deepEqual([response.status, error.code], [400, 'invalid_json']);
      assert.match(error.message, /nested more than 1000 levels/);
      const socket = await RawSocket.open(emulator.url);
      socket.socket.send(`{"type":"response.create",${body(levels).slice(1)}`);
      assert.equal(terminal(await socket.turn()).error.code, 'invalid_json');
    });
  }

  test('900 levels are accepted, and brackets within texts are not counted', async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    assert.equal((await post(emulator.url, body(900))).status, 200);
    assert.equal((await post(emulator.url, { model: 'm', input: '[{\\"'.repeat(2000) })).status, 200);
  });
});
