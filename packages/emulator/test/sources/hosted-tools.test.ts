import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ScriptError, startEmulator, type Script } from '../../dist/index.js';
import { json, postJson, postSse, RawSocket, terminal, type Json } from '../wire.js';

type Tool = NonNullable<NonNullable<NonNullable<Script['turns']>[number]['output']>[number]['tool']>;
type Context = { after(fn: () => Promise<void>): void };

async function start(t: Context, script: Script) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  return emulator;
}

const ALL = [
  'file_search_call.results',
  'web_search_call.action.sources',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
];

/** The types of the events of a tool's item, without `response.`. */
async function eventsOf(t: Context, tool: Tool, include: readonly string[] = ALL): Promise<readonly Json[]> {
  const { url } = await start(t, { turns: [{ output: [{ tool }] }] });
  const events = (await postSse(url, { model: 'm', input: 'x', include })).map(({ data }) => json(data));
  assert.deepEqual(
    events.map((event) => event['sequence_number']),
    events.map((_, index) => index),
  );
  assert.deepEqual(terminal(events)['response']['output'][0], events.at(-2)?.['item']);
  return events.slice(2, -1);
}

// The names and the order of the progress events are those of P59 and of recordings of the real service.
const PROGRESS: readonly (readonly [tool: Tool, events: string])[] = [
  [
    { type: 'web_search_call', action: { type: 'search', query: 'q', sources: [{ url: 'https://example.com' }] } },
    'web_search_call.in_progress web_search_call.searching web_search_call.completed',
  ],
  [
    { type: 'file_search_call', queries: ['q'], results: [{ file_id: 'f', text: 'found' }] },
    'file_search_call.in_progress file_search_call.searching file_search_call.completed',
  ],
  [
    { type: 'code_interpreter_call', code: 'print(1)', outputs: [{ type: 'logs', logs: '1' }] },
    'code_interpreter_call.in_progress code_interpreter_call_code.delta code_interpreter_call_code.done code_interpreter_call.interpreting code_interpreter_call.completed',
  ],
  [
    { type: 'image_generation_call', result: 'AAAA', partial_images: ['AA', 'AAA'], size: '1024x1024' },
    'image_generation_call.in_progress image_generation_call.generating image_generation_call.partial_image image_generation_call.partial_image image_generation_call.completed',
  ],
  [
    { type: 'mcp_list_tools', server_label: 's', tools: [{ name: 'f' }] },
    'mcp_list_tools.in_progress mcp_list_tools.completed',
  ],
  [{ type: 'mcp_list_tools', server_label: 's', error: 'down' }, 'mcp_list_tools.in_progress mcp_list_tools.failed'],
  [
    { type: 'mcp_call', server_label: 's', name: 'f', arguments: { a: 1 }, output: 'ok' },
    'mcp_call.in_progress mcp_call_arguments.delta mcp_call_arguments.done mcp_call.completed',
  ],
  [
    { type: 'mcp_call', server_label: 's', name: 'f', error: 'broken' },
    'mcp_call.in_progress mcp_call_arguments.delta mcp_call_arguments.done mcp_call.failed',
  ],
  [{ type: 'mcp_approval_request', server_label: 's', name: 'f' }, ''],
  [
    { type: 'shell_call', commands: ['ls', 'pwd'] },
    'shell_call_command.added shell_call_command.delta shell_call_command.done shell_call_command.added shell_call_command.delta shell_call_command.done',
  ],
  [{ type: 'apply_patch_call', operation: { type: 'delete_file', path: 'a.txt' } }, ''],
  [{ type: 'computer_call', actions: [{ type: 'click', button: 'left', x: 1, y: 2 }] }, ''],
  [{ type: 'tool_search_call', arguments: { paths: ['f'] } }, ''],
  [{ type: 'tool_search_output', tools: [{ type: 'function', name: 'f' }] }, ''],
  [{ type: 'compaction' }, 'compaction.compacting'],
];

test('P59: each hosted tool has its progress events between added and done, with item_id and output_index', async (t) => {
  for (const [tool, expected] of PROGRESS) {
    const events = await eventsOf(t, tool);
    const types = events.map((event) => event['type'].replace('response.', ''));
    const between = expected === '' ? [] : expected.split(' ');
    assert.deepEqual(types, ['output_item.added', ...between, 'output_item.done'], tool.type);
    const id = events[0]?.['item']['id'];
    assert.equal(events.at(-1)?.['item']['id'], id);
    for (const event of events) assert.equal(event['output_index'], 0, event['type']);
    for (const event of events.slice(1, -1)) {
      // The command events of a shell call name no item.
      assert.equal(event['item_id'], tool.type === 'shell_call' ? undefined : id, event['type']);
    }
  }
});

test('the events of partial images have numbers and the settings of the image', async (t) => {
  const events = await eventsOf(t, {
    type: 'image_generation_call',
    result: 'AAAA',
    partial_images: ['AA', 'AAA'],
    size: '1024x1024',
    output_format: 'webp',
  });
  const partial = events.filter(({ type }) => type === 'response.image_generation_call.partial_image');
  assert.deepEqual(
    partial.map((event) => [event['partial_image_index'], event['partial_image_b64'], event['size']]),
    [
      [0, 'AA', '1024x1024'],
      [1, 'AAA', '1024x1024'],
    ],
  );
  const { item } = events.at(-1) ?? assert.fail();
  assert.deepEqual([item['result'], item['output_format'], item['partial_images']], ['AAAA', 'webp', undefined]);
});

test('fields that `include` can name are sent only if the request includes them', async (t) => {
  const hidden = async (tool: Tool) => (await eventsOf(t, tool, [])).at(-1)?.['item'];
  const shown = async (tool: Tool) => (await eventsOf(t, tool)).at(-1)?.['item'];
  const [web, file, code] = [PROGRESS[0]?.[0], PROGRESS[1]?.[0], PROGRESS[2]?.[0]];
  assert.ok(web && file && code);
  assert.deepEqual((await hidden(web))['action'], { type: 'search', query: 'q' });
  assert.deepEqual((await shown(web))['action']['sources'], [{ type: 'url', url: 'https://example.com' }]);
  assert.equal((await hidden(file))['results'], null);
  assert.deepEqual((await shown(file))['results'], [{ file_id: 'f', text: 'found' }]);
  assert.equal((await hidden(code))['outputs'], null);
  assert.deepEqual((await shown(code))['outputs'], [{ type: 'logs', logs: '1' }]);
});

test('the calls of a hosted shell are answered by the service, those of a local shell by the client, whose output templates can name', async (t) => {
  const emulator = await start(t, {
    turns: [
      {
        output: [
          { tool: { type: 'shell_call', commands: ['uname'], container_id: 'cntr_1' } },
          { tool: { type: 'shell_call_output', output: [{ stdout: 'Linux' }] } },
          { text: 'It is Linux.' },
        ],
      },
      {
        output: [
          { tool: { type: 'shell_call', commands: ['ls'], as: 'listing' } },
          { tool: { type: 'apply_patch_call', as: 'patch', operation: { type: 'delete_file', path: 'a' } } },
        ],
      },
      { text: '{{ listing.lines.0 }} / {{ patch }} / {{ turn }}' },
    ],
  });
  const first = await postSse(emulator.url, { model: 'm', input: 'x' });
  const events = first.map(({ data }) => json(data));
  const { response } = terminal(events);
  assert.equal(response['output'][0]['call_id'], response['output'][1]['call_id']);
  assert.ok(events.some(({ type }) => type === 'response.shell_call_output_content.delta'));

  const second = await postJson(emulator.url, { model: 'm', input: 'go', previous_response_id: response['id'] });
  const [shell, patch] = second['output'];
  assert.deepEqual(shell['environment'], { type: 'local' });
  const output = [{ stdout: 'a.txt\nb.txt\n', stderr: '', outcome: { type: 'exit', exit_code: 0 } }];
  const third = await postJson(emulator.url, {
    model: 'm',
    previous_response_id: second['id'],
    input: [
      { type: 'shell_call_output', call_id: shell['call_id'], output },
      { type: 'apply_patch_call_output', call_id: patch['call_id'], status: 'completed', output: 'deleted' },
    ],
  });
  assert.equal(third['output'][0]['content'][0]['text'], 'a.txt / deleted / 3');
});

test('custom tools take free text, and are answered like functions', async (t) => {
  const emulator = await start(t, {
    turns: [
      {
        calls: [
          { name: 'sql', as: 'rows', input: 'SELECT {{ input }}' },
          { name: 'f', arguments: { a: 1 } },
        ],
      },
      { text: '{{ rows }} {{ f }}' },
    ],
  });
  const socket = await RawSocket.open(emulator.url);
  const events = await socket.ask({ model: 'm', input: '42', store: false });
  const types = events.map((event) => event['type']);
  assert.ok(types.includes('response.custom_tool_call_input.delta'));
  const done = events.find((event) => event['type'] === 'response.custom_tool_call_input.done');
  assert.equal(done?.['input'], 'SELECT 42');
  const { response } = terminal(events);
  const [sql, f] = response['output'];
  const next = terminal(
    await socket.ask({
      model: 'm',
      store: false,
      previous_response_id: response['id'],
      input: [
        { type: 'custom_tool_call_output', call_id: sql['call_id'], output: 'one row' },
        { type: 'function_call_output', call_id: f['call_id'], output: [{ type: 'input_text', text: 'two' }] },
      ],
    }),
  );
  assert.equal(next['response']['output'][0]['content'][0]['text'], 'one row two');
});

test('reasoning is encrypted on request, with different ciphertexts in the item and in the terminal response', async (t) => {
  const emulator = await start(t, { turns: [{ reasoning: ['First.', 'Second.'], text: 'Done.' }], after: 'repeat' });
  const ask = async (include: readonly string[]) =>
    (await postSse(emulator.url, { model: 'm', input: 'x', include })).map(({ data }) => json(data));
  const events = await ask(['reasoning.encrypted_content']);
  const done = events.find(({ type }) => type === 'response.output_item.done')?.['item'];
  const final = terminal(events)['response']['output'][0];
  assert.equal(typeof done['encrypted_content'], 'string');
  assert.equal(done['encrypted_content'].length, final['encrypted_content'].length);
  assert.notEqual(done['encrypted_content'], final['encrypted_content']);
  assert.deepEqual({ ...done, encrypted_content: '' }, { ...final, encrypted_content: '' });
  assert.deepEqual(
    events.filter(({ type }) => type === 'response.reasoning_summary_part.done').map((event) => event['summary_index']),
    [0, 1],
  );
  const plain = terminal(await ask([]))['response']['output'][0];
  assert.equal('encrypted_content' in plain, false);

  // Both ciphertexts belong to the same item, so the context after it is cached.
  const history = (item: Json) => [{ role: 'user', content: 'x' }, item, { role: 'user', content: 'y' }];
  const one = await postJson(emulator.url, { model: 'm', input: history(done) });
  const other = await postJson(emulator.url, { model: 'm', input: history(final) });
  assert.equal(other['usage']['input_tokens_details']['cached_tokens'], one['usage']['input_tokens']);
});

test('reasoning text, annotations, log probabilities and phases are as the script has them', async (t) => {
  const emulator = await start(t, {
    turns: [
      {
        output: [
          { reasoning: 'Short.', reasoning_text: 'All of it.' },
          { text: 'Wait.', phase: 'commentary' },
          {
            text: 'It is so.',
            phase: 'final_answer',
            annotations: [
              { type: 'url_citation', url: 'https://example.com', title: 'E', start_index: 3, end_index: 5 },
              { type: 'file_citation', file_id: 'f', filename: 'a.pdf', index: 4 },
            ],
          },
        ],
      },
    ],
  });
  const body = { model: 'm', input: 'x', include: ['message.output_text.logprobs'], top_logprobs: 1 };
  const events = (await postSse(emulator.url, body)).map(({ data }) => json(data));
  const of = (type: string) => events.filter((event) => event['type'] === `response.${type}`);
  assert.equal(of('reasoning_text.done')[0]?.['text'], 'All of it.');
  assert.deepEqual(
    of('output_text.annotation.added').map((event) => [event['output_index'], event['annotation_index']]),
    [
      [2, 0],
      [2, 1],
    ],
  );
  const [, wait, answer] = terminal(events)['response']['output'];
  assert.deepEqual([wait['phase'], answer['phase']], ['commentary', 'final_answer']);
  const [part] = answer['content'];
  assert.equal(part['annotations'][0]['end_index'], 5);
  assert.equal(part['logprobs'].map(({ token }: Json) => token).join(''), 'It is so.');
  assert.deepEqual(part['logprobs'][0]['bytes'], [73, 116]);
  assert.equal(part['logprobs'][0]['top_logprobs'].length, 1);
  assert.deepEqual(of('output_text.delta').at(-1)?.['logprobs'], part['logprobs'].slice(-1));
});

test('the tools of a script are checked, and a mistake is named with its place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-tools-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'script.yaml');
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['turns:\n  - output:\n      - tool: { type: web_search_cal }\n', /:3:23: turns\[0\]\.output\[0\]\.tool\.type/],
    [
      'turns:\n  - output:\n      - tool: { type: shell_call, comands: [ls], commands: [ls] }\n',
      /:3:35: .*unknown key "comands"/,
    ],
    ['turns:\n  - output:\n      - { text: a, call: { name: f } }\n', /:3:9: .*one item/],
    ['turns:\n  - text: a\n    output:\n      - text: b\n', /:2:5: .*not both/],
    ['turns:\n  - calls:\n      - { name: f, arguments: {}, input: x }\n', /:3:9: .*cannot have both/],
    ['turns:\n  - refusal: no\n    annotations: [{ type: file_path, file_id: f }]\n', /:2:5: .*belong to a text/],
  ];
  for (const [yaml, message] of wrong) {
    await writeFile(file, yaml);
    await assert.rejects(startEmulator({ script: file }), (error) => {
      assert.ok(error instanceof ScriptError);
      assert.match(error.message, message);
      return true;
    });
  }
});
