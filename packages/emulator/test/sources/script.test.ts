import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ScriptError, startEmulator, type Script } from '../../dist/index.js';
import { answerTo, postJson, RawSocket, terminal, type Json } from '../wire.js';

type Context = { after(fn: () => Promise<void>): void };

async function start(t: Context, script: Script | string) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  return emulator;
}

function textOf(response: Json): string | undefined {
  return response?.['output']?.find((item: Json) => item['type'] === 'message')?.['content']?.[0]?.['text'];
}

const CONVERSATION: Script = {
  turns: [
    {
      calls: [
        { name: 'shell', as: 'files', arguments: { cmd: 'ls', options: ['-l', '{{ input }}'] } },
        { name: 'shell', as: 'date' },
      ],
    },
    {
      text: '{{ files.lines.-1.words.0 }} {{files.lines.length}} {{ shell }} {{ turn }} {{ model }}',
      calls: [{ name: 'next', arguments: { n: '{{ date.json.n }}', all: '{{ files.lines }}' } }],
    },
    { text: '{{ date.json.deep.key }}' },
  ],
};

const FILES = '  12 a.js \n\n  7 b.js\n';
const DATE = '{"n": 5, "deep": {"key": "ok"}}';

/** Runs the conversation to its end, in full each time or by ids. Returns the outputs. */
async function converse(ask: (body: object) => Promise<Json>, byId: boolean): Promise<readonly string[]> {
  const said: string[] = [];
  const history: object[] = [{ role: 'user', content: 'src' }];
  let fresh: readonly object[] = [...history];
  let previous: string | undefined;
  for (let turn = 0; turn < 3; turn += 1) {
    const response = await ask({
      model: 'm',
      input: byId ? fresh : history,
      ...(byId && previous ? { previous_response_id: previous } : {}),
    });
    const output: readonly Json[] = response['output'] ?? [];
    said.push(JSON.stringify(output.map((item) => item['arguments'] ?? item['content']?.[0]?.['text'])));
    const calls = output.filter((item) => item['type'] === 'function_call');
    fresh = calls.map((call, index) => answerTo(call, index === 0 ? FILES : DATE));
    history.push(...output, ...fresh);
    previous = response['id'];
  }
  return said;
}

test('a script answers a conversation equally in full, by id, over HTTP and on a socket', async (t) => {
  const emulator = await start(t, CONVERSATION);
  const socket = await RawSocket.open(emulator.url);
  const overHttp = (body: object) => postJson(emulator.url, body);
  const overSocket = async (body: object) =>
    terminal(await socket.ask({ store: false, ...body }))['response'] ?? assert.fail();
  const expected = [
    JSON.stringify(['{"cmd":"ls","options":["-l","src"]}', '{}']),
    JSON.stringify([`7 2 ${DATE} 2 m`, '{"n":5,"all":["12 a.js","7 b.js"]}']),
    JSON.stringify(['ok']),
  ];
  assert.deepEqual(await converse(overHttp, false), expected);
  assert.deepEqual(await converse(overHttp, true), expected);
  assert.deepEqual(await converse(overSocket, true), expected);
  assert.deepEqual(await converse(overSocket, false), expected);
});

test('the key after answers beyond the last entry: with an error, the last entry again, or an echo', async (t) => {
  const second = async (after: Script['after']) => {
    const emulator = await start(t, { turns: [{ text: 'only' }], ...(after && { after }) });
    const first = await postJson(emulator.url, { model: 'm', input: 'a' });
    return postJson(emulator.url, { model: 'm', input: 'b', previous_response_id: first['id'] });
  };
  const refused = await second(undefined);
  assert.deepEqual([refused.httpStatus, refused['error']?.['code']], [400, 'script_exhausted']);
  assert.equal(textOf(await second('repeat')), 'only');
  assert.equal(textOf(await second('echo')), 'b');
});

test('an error among the turns answers once, then the conversation goes on, in every run', async (t) => {
  const emulator = await start(t, {
    turns: [
      { error: { status: 429, code: 'rate_limit_exceeded', message: 'Slow down.', headers: { 'retry-after': '2' } } },
      { text: 'ok' },
    ],
  });
  for (let run = 0; run < 2; run += 1) {
    const response = await fetch(`${emulator.url}/responses`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', input: 'x', stream: true }),
    });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '2');
    assert.deepEqual(await response.json(), {
      error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'Slow down.', param: null },
    });
    assert.equal(textOf(await postJson(emulator.url, { model: 'm', input: 'x' })), 'ok');
  }
  const socket = await RawSocket.open(emulator.url);
  const frame = terminal(await socket.ask({ model: 'm', input: 'x' }));
  assert.equal(frame['status'], 429);
  assert.deepEqual(frame['error']?.['headers'], { 'retry-after': '2' });
});

test('fail and incomplete end a response after its other items', async (t) => {
  const emulator = await start(t, {
    rules: [
      { match: { input: 'fail' }, reply: { text: 'half', fail: { code: 'server_error', message: 'Broken.' } } },
      { match: { input: 'cut' }, reply: { text: 'half', incomplete: 'max_output_tokens' } },
      { match: { input: 'no' }, reply: { refusal: 'I will not.' } },
    ],
  });
  const failed = await postJson(emulator.url, { model: 'm', input: 'fail' });
  assert.deepEqual(
    [failed.httpStatus, failed['status'], failed['error']],
    [200, 'failed', { code: 'server_error', message: 'Broken.' }],
  );
  const cut = await postJson(emulator.url, { model: 'm', input: 'cut' });
  assert.deepEqual(
    [cut['status'], cut['incomplete_details'], cut['output']?.[0]?.['status']],
    ['incomplete', { reason: 'max_output_tokens' }, 'incomplete'],
  );
  const refusal = await postJson(emulator.url, { model: 'm', input: 'no' });
  assert.deepEqual(refusal['output']?.[0]?.['content'], [{ type: 'refusal', refusal: 'I will not.' }]);
  assert.deepEqual(
    emulator.journal.turns().map((turn) => turn.outcome),
    ['failed', 'incomplete', 'completed'],
  );
});

test('the first matching rule answers: by text, regular expression, tool output, model or turn', async (t) => {
  const emulator = await start(t, {
    rules: [
      { match: { input: '/^WEATHER/i' }, reply: { calls: [{ name: 'look' }] } },
      { match: { input: 'rain', turn: 2 }, reply: { text: 'Wet: {{ look }}' } },
      { match: { model: 'big' }, reply: { text: 'big' } },
    ],
  });
  const first = await postJson(emulator.url, { model: 'm', input: 'weather?' });
  const call = first['output']?.[0] ?? assert.fail();
  const second = await postJson(emulator.url, {
    model: 'm',
    input: [answerTo(call, 'rain')],
    previous_response_id: first['id'],
  });
  assert.equal(textOf(second), 'Wet: rain');
  assert.equal(textOf(await postJson(emulator.url, { model: 'very-big', input: 'rain' })), 'big');
  assert.equal((await postJson(emulator.url, { model: 'm', input: 'rain' }))['error']?.['code'], 'script_exhausted');
});

test('a template without a value is an error that names the template and its place in the script', async (t) => {
  for (const [template, part] of [
    ['nothing', '"nothing"'],
    ['input.lines.7', '"7"'],
    ['input.constructor', '"constructor"'],
    ['input.json', 'not JSON'],
    ['__proto__', '"__proto__"'],
  ] as const) {
    const emulator = await start(t, { turns: [{ text: `x {{ ${template} }}` }] });
    const refused = await postJson(emulator.url, { model: 'm', input: 'hi' });
    assert.deepEqual([refused.httpStatus, refused['error']?.['code']], [400, 'script_template']);
    assert.match(String(refused['error']?.['message']), /at turns\[0\]/);
    assert.ok(String(refused['error']?.['message']).includes(part), String(refused['error']?.['message']));
  }
});

test('templates may have steps with spaces, and what is not filled in is no template', async (t) => {
  const emulator = await start(t, {
    rules: [
      { match: { input: '/^[{]{2} a b/' }, reply: { error: { status: 418, message: 'Not {{ a b }}.' } } },
      { match: { input: '{{ c d }}' }, reply: { text: 'literal {{ "{{" }}' } },
    ],
    turns: [{ text: '{{ input.json.two words }}' }],
  });
  const ask = (input: string) => postJson(emulator.url, { model: 'm', input });
  assert.equal((await ask('{{ a b }}'))['error']?.['message'], 'Not {{ a b }}.');
  assert.equal(textOf(await ask('say {{ c d }}')), 'literal {{');
  assert.equal(textOf(await ask('{"two words":"yes"}')), 'yes');
});

test('the answers of a script have its pace', async (t) => {
  const emulator = await start(t, {
    pace: { first_token_ms: 60, tokens_per_second: 100 },
    turns: [{ text: 'a b c d e f' }],
  });
  const begun = performance.now();
  await postJson(emulator.url, { model: 'm', input: 'x' });
  // Six deltas at 100 per second follow after 60 ms. Only an early end is wrong, since a busy machine may be late.
  assert.ok(performance.now() - begun >= 115);
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['a key misspelt', 'turns:\n  - txet: hello\n', /:2:5: .*unknown key "txet"/],
  ['a wrong type', 'turns:\n  - text: hello\n  - calls: 3\n', /:3:12: turns\[1\]\.calls/],
  ['a missing name', 'turns:\n  - calls:\n      - { arguments: {} }\n', /:3:9: turns\[0\]\.calls\[0\]\.name/],
  ['an entry that says nothing', 'turns:\n  - {}\n', /:2:5: turns\[0\]: says nothing/],
  ['an error beside text', 'turns:\n  - text: x\n    error: { status: 500 }\n', /:2:5: .*fail/],
  [
    'not an expression',
    'rules:\n  - match: { input: "/(/" }\n    reply: { text: x }\n',
    /:2:21: .*not a regular expression/,
  ],
  ['a template without an end', 'turns:\n  - text: "Sky: {{ sky"\n', /:2:11: .*"{{ sky" is not closed/],
  ['a template of two words', 'turns:\n  - text: "x {{ a b }}"\n', /:2:11: .*"\{\{ a b \}\}" names nothing/],
  ['an empty template', 'turns:\n  - text: "{{ }}"\n', /"\{\{ \}\}" names nothing/],
  ['a template that begins with a dot', 'turns:\n  - text: "{{ .lines }}"\n', /"\{\{ \.lines \}\}" names nothing/],
  ['a text that is not closed in a template', `turns:\n  - text: '{{ "a }}'\n`, /names nothing; .* double quotes/],
  [
    'a template in arguments, of a rule',
    'rules:\n  - match: { turn: 1 }\n    reply: { calls: [{ name: f, arguments: { error: "{{ a b }}" } }] }\n',
    /rules\[0\]\.reply\.calls\[0\]\.arguments\.error: the template "\{\{ a b \}\}" names nothing/,
  ],
  ['a misspelt key, and so a missing one', 'turns:\n  - calls: [{ nme: x }]\n', /:2:15: .*unknown key "nme"/],
  ['not YAML', 'turns:\n  - text: "x\n', /:\d+:\d+: This is not YAML/],
  ['no content', '', /:1:1: The script is empty/],
  ['nothing in it', 'after: echo\n', /:1:1: .*answers nothing/],
  ['a list', '- text: x\n', /:1:1: The script must be a mapping, not a list\.$/],
  [
    'the nearest key',
    'turns:\n  - text: hi\nafer: echo\n',
    /:3:1: The script has an unknown key "afer"; did you mean "after"\.$/,
  ],
  [
    'the keys there are',
    'rules:\n  - match: { body: x }\n    reply: { text: x }\n',
    /unknown key "body"; there are model, input, turn\.$/,
  ],
  ['the nearest word', 'turns:\n  - text: hi\nafter: ecko\n', /:3:8: after cannot be "ecko"; did you mean "echo"\.$/],
  [
    'the nearest type',
    'turns:\n  - output:\n      - tool: { type: web_serch_call }\n',
    /turns\[0\]\.output\[0\]\.tool\.type cannot be "web_serch_call"; did you mean "web_search_call"\.$/,
  ],
  [
    'the keys of that type',
    'turns:\n  - output:\n      - tool: { type: mcp_call, server_lable: x, name: y }\n',
    /tool has an unknown key "server_lable"; did you mean "server_label"\.$/,
  ],
  ['a text for a list', 'turns: hello\n', /:1:8: turns must be a list, not a text\.$/],
  ['a name that is missing', 'turns:\n  - calls:\n      - {}\n', /calls\[0\]\.name is missing; it must be a text\.$/],
  ['an empty list', 'turns:\n  - output: []\n', /turns\[0\]\.output must not be empty\.$/],
  ['a number too large', 'turns:\n  - error: { status: 700 }\n', /status must be at most 599\.$/],
];

test('an invalid script is refused in one sentence with file, line and column', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-script-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'script.yaml');
  for (const [name, yaml, message] of WRONG) {
    await writeFile(file, yaml);
    await assert.rejects(startEmulator({ script: file }), (error) => {
      assert.ok(error instanceof ScriptError, name);
      assert.match(error.message, message, name);
      assert.ok(error.message.startsWith(`${file}:`) && !error.message.includes('\n'), name);
      assert.deepEqual(error.place?.file, file);
      return true;
    });
  }
  await writeFile(file, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
  await mkdir(join(folder, 'dir'));
  for (const [path, message] of [
    [file, /not UTF-8/],
    [join(folder, 'dir'), /is a directory/],
    [join(folder, 'none'), /no such file/],
  ] as const) {
    await assert.rejects(
      startEmulator({ script: path }),
      (error) => error instanceof ScriptError && message.test(error.message),
    );
  }
});

test('a script from a YAML file answers', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-script-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'script.yaml');
  await writeFile(file, 'turns:\n  - text: "Hello {{ input }}"\nafter: repeat\n');
  const emulator = await start(t, file);
  assert.equal(textOf(await postJson(emulator.url, { model: 'm', input: 'you' })), 'Hello you');
});
