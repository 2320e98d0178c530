// `npm run recordings`: writes test/recordings/ anew, after a change in what the emulator sends. The official SDK asks the emulator, and each event that it
// gives becomes a line. The recordings prove nothing about the service, but with them every test of replay runs in a clone.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { startEmulator } from '@turnwire/emulator';

const folder = fileURLToPath(new URL('../../test/recordings/', import.meta.url));
const weather = {
  type: 'function',
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};
const sql = { type: 'custom', name: 'sql' };
const include = [
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
  'file_search_call.results',
  'web_search_call.action.sources',
  'code_interpreter_call.outputs',
];

const loop = {
  turns: [
    {
      reasoning: ['I look it up.', 'Then I tell.'],
      calls: [
        { name: 'weather', arguments: { city: 'Bonn' } },
        { name: 'sql', input: 'SELECT 1' },
      ],
    },
    { text: 'It rains in Bonn.' },
  ],
};
const one = (entry) => ({ turns: [entry] });

/** An answer with one of each item that a script can have, so that every event type occurs. */
const everything = one({
  output: [
    { reasoning: 'A summary.', reasoning_text: 'The reasoning itself.' },
    { text: 'I search.', phase: 'commentary' },
    {
      tool: {
        type: 'web_search_call',
        action: { type: 'search', query: 'Bonn', sources: [{ url: 'https://example.com' }] },
      },
    },
    {
      tool: {
        type: 'file_search_call',
        queries: ['Bonn'],
        results: [{ file_id: 'file_1', text: 'Bonn lies on the Rhine.' }],
      },
    },
    { tool: { type: 'code_interpreter_call', code: 'print(1 + 1)', outputs: [{ type: 'logs', logs: '2' }] } },
    { tool: { type: 'image_generation_call', result: 'aW1hZ2U=', partial_images: ['aW0='] } },
    { tool: { type: 'mcp_list_tools', server_label: 'docs', tools: [{ name: 'read' }] } },
    { tool: { type: 'mcp_call', server_label: 'docs', name: 'read', arguments: { page: 1 }, output: 'A page.' } },
    {
      tool: {
        type: 'mcp_call',
        server_label: 'docs',
        name: 'read',
        arguments: { page: 2 },
        error: 'There is no page 2.',
      },
    },
    { tool: { type: 'shell_call', commands: ['ls', 'make'], container_id: 'cntr_1' } },
    {
      tool: {
        type: 'shell_call_output',
        output: [{ stdout: 'file\n' }, { stdout: 'Building.\n', stderr: 'No rule.\n', exit_code: 2 }],
      },
    },
    { tool: { type: 'apply_patch_call', operation: { type: 'delete_file', path: 'old.txt' } } },
    { tool: { type: 'computer_call', actions: [{ type: 'screenshot' }] } },
    { tool: { type: 'mcp_approval_request', server_label: 'docs', name: 'write', arguments: {} } },
    {
      text: 'It rains [1].',
      annotations: [{ type: 'url_citation', url: 'https://example.com', title: 'Example' }],
      phase: 'final_answer',
    },
    { refusal: 'No more than that.' },
  ],
});

/** @type {Record<string, { dialect?: string, script: object, turns?: number, create?: object, faults?: object[], rotate?: boolean }>} */
const recordings = {
  'openai-everything': { script: everything, create: { include, top_logprobs: 1 } },
  'openai-failed': { script: one({ text: 'It rai', fail: { code: 'server_error', message: 'The model broke off.' } }) },
  'openai-incomplete': { script: one({ text: 'It rains in', incomplete: 'max_output_tokens' }) },
  'openai-compaction': {
    script: one({ text: 'Small again.' }),
    create: { context_management: [{ type: 'compaction', compact_threshold: 1 }] },
  },
  'openai-obfuscated': {
    script: one({ text: 'It rains.' }),
    create: { stream_options: { include_obfuscation: true } },
  },
  'openai-full-histories': { script: loop, turns: 2, create: { store: false, include: include.slice(0, 1) } },
  ...Object.fromEntries(
    ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt'].map((dialect) => [
      `${dialect}-tool-loop`,
      { dialect, script: loop, turns: dialect === 'chatgpt' ? 1 : 2 },
    ]),
  ),
  'poor-rotated-ids': { script: loop, turns: 2, rotate: true },
  'poor-empty-output': { script: loop, turns: 2, faults: [{ do: 'empty-output' }] },
  'poor-few-events': {
    script: one({ text: 'It rains in Bonn.' }),
    faults: [
      'response.in_progress',
      'response.content_part.added',
      'response.content_part.done',
      'response.output_text.done',
    ].map((event) => ({ do: { fault: 'drop', event } })),
  },
  'poor-no-deltas': { script: one({ text: 'It rains.' }), faults: [{ do: 'drop event=response.output_text.delta' }] },
};

mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) if (file.endsWith('.jsonl')) rmSync(join(folder, file));
for (const [
  name,
  { dialect = 'openai', script, turns = 1, create = {}, faults = [], rotate = false },
] of Object.entries(recordings)) {
  const emulator = await startEmulator({ dialect, script, faults, seed: name });
  const openai = new OpenAI({ baseURL: emulator.url, apiKey: 'any', maxRetries: 0 });
  const never = dialect === 'chatgpt' ? { store: false } : {};
  const full = dialect === 'chatgpt' || create.store === false;
  const lines = [];
  let input = [{ role: 'user', content: 'How is the weather in Bonn?' }];
  let previous;
  for (let turn = 0; turn < turns; turn += 1) {
    const items = new Map();
    const stream = await openai.responses.create({
      model: 'gpt-5.4',
      tools: [weather, sql],
      ...never,
      ...create,
      input,
      previous_response_id: full ? undefined : previous,
      stream: true,
    });
    let last;
    for await (const event of stream) {
      lines.push(JSON.stringify(rotate ? rotated(event, lines.length) : event));
      if (event.type === 'response.output_item.done') items.set(event.output_index, event.item);
      if (event.response !== undefined) last = event.response;
    }
    previous = last.id;
    const output = last.output.length > 0 ? last.output : [...items.values()];
    const results = output
      .filter(({ call_id: id }) => id !== undefined)
      .map(({ type, call_id }) => ({ type: `${type}_output`, call_id, output: 'rain' }));
    input = full ? [...input, ...output, ...results] : results;
  }
  await emulator.close();
  // All dates become one, so that a second run changes nothing.
  const text = lines.join('\n').replace(/"(created_at|completed_at)":\d+/g, '"$1":1767225600');
  writeFileSync(join(folder, `${name}.jsonl`), `${text}\n`);
}

/** Changes the item ids in each event, as some proxies do. */
function rotated(event, number) {
  const anew = (id) => `${id.slice(0, -6)}${String(number).padStart(6, '0')}`;
  return {
    ...event,
    ...(event.item_id !== undefined && { item_id: anew(event.item_id) }),
    ...(event.item?.id !== undefined && { item: { ...event.item, id: anew(event.item.id) } }),
  };
}
