import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { loadConfig } from '../../dist/config/config.js';
import { environmentSecrets } from '../../dist/config/secrets/sources/environment.js';
import { ConfigError } from '../../dist/config/file/problem.js';
import { agentFile, scratch } from './scratch.js';

/** What is said about a file, each line without the folder. */
async function complaints(path: string, env?: Record<string, string>): Promise<string[]> {
  const error: unknown = await loadConfig(path, { secrets: env && environmentSecrets(env) }).then(
    () => assert.fail('the file was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, String(error));
  assert.ok(error.problems.length > 0);
  return error.message.split('\n').map((line) => line.replace(path, basename(path)));
}

const about = async (t: TestContext, yaml: string, env?: Record<string, string>) =>
  complaints(await agentFile(t, yaml), env);

const good = 'models: { m: { provider: openai, model: x } }\nagents: { root: { model: m } }\n';

test('a misspelt key is named with its place and the nearest name', async (t) => {
  const yaml = `version: "8"
agents:
  root:
    # a comment
    description: x
    instruction: y
    modle: openai/gpt-5.4
`;
  const lines = await about(t, yaml);
  assert.ok(lines.includes('agent.yaml:7:5: unknown key "modle"; did you mean "model"?'), lines.join('\n'));
});

test('all problems of a file are reported at once, in its order; a misspelt transport is one (W17)', async (t) => {
  const lines = await about(
    t,
    `colour: red
models:
  a: { provider: openai, model: x, temperature: 3, max_tokens: 1.5, base_url: ftp://x }
  b: { provider: nobody, model: x }
  c: { provider: openai, model: x, provider_opts: { transport: websokcet } }
agents:
  root:
    model: d
    toolsets: [ { type: files }, { type: lsp, command: x } ]
`,
  );
  const places = lines.map((line) => line.split(':').slice(1, 3).join(':'));
  assert.deepEqual(places, ['1:1', '3:49', '3:64', '3:79', '4:18', '5:64', '8:12', '9:25', '9:42'], lines.join('\n'));
  assert.match(lines[1] ?? '', /"temperature" must be a number from 0 to 2, not 3$/);
  assert.match(lines[4] ?? '', /unknown provider "nobody".*base_url/);
  assert.match(lines[5] ?? '', /"websokcet"; did you mean "websocket"\?$/);
  assert.match(lines[8] ?? '', /"lsp" is a docker-agent toolset that turnwire does not support yet/);
});

test('a key of docker-agent that turnwire does not support is named as such, wherever it stands', async (t) => {
  const lines = await about(
    t,
    `rag: { docs: {} }
models:
  m: { provider: openai, model: x, output_capabilities: {a: 1}, provider_opts: { native_tool_search: true } }
agents:
  root:
    model: m
    safety: strict
    structured_output: { name: x, schema: { type: object, properties: {} }, mode: tool }
    routing: { allowed_agents: [a] }
    hooks: { stop: [ { type: command, command: x, args: y } ] }
    toolsets: [ { type: mcp, command: x, file_types: [x] } ]
`,
  );
  assert.equal(lines.length, 8, lines.join('\n'));
  for (const line of lines)
    assert.match(line, /is a docker-agent key that turnwire does not support yet; instead of it, /);
  const places = lines.map((line) => line.split(':').slice(1, 3).join(':'));
  assert.deepEqual(places, ['1:1', '3:36', '3:82', '7:5', '8:77', '9:5', '10:51', '11:42']);
});

test('models of an unsupported provider are one problem, with their places and their own keys', async (t) => {
  const lines = await about(
    t,
    `
models:
  big: { provider: anthropic, model: claude, thinking_budget: adaptive/low, provider_opts: { google_search: true } }
agents:
  root: { model: anthropic/claude, fallback: { models: [google/gemini] } }
  other: { model: big, temperatur: 1 }
`,
  );
  const [anthropic, google, other, ...more] = lines;
  assert.deepEqual(more, []);
  assert.match(
    anthropic ?? '',
    /:3:20: provider "anthropic" .* or one of .*, without "thinking_budget" and "provider_opts", which it may not have \(also at 5:18\)$/,
  );
  assert.match(google ?? '', /:5:\d+: provider "google" .* or ollama$/);
  assert.match(other ?? '', /unknown key "temperatur"/);
});

const models: readonly (readonly [string, RegExp])[] = [
  ['nothing', /1:26: there is no model "nothing"; define it under "models", or write provider\/model$/],
  [
    'anthropic/claude',
    /provider "anthropic" is docker-agent's and not supported: it does not speak the Responses API; put a model in its place that does, such as openai\/gpt-5\.4, or one of /,
  ],
  ['mistral/large', /no address built in here/],
  ['opanai/gpt', /unknown provider "opanai"; did you mean "openai"\?/],
  ['/x', /there is no model "\/x"/],
];
for (const [model, expected] of models) {
  test(`the model ${model} is refused with a sentence`, async (t) => {
    const lines = await about(t, `agents: { root: { model: "${model}" } }`);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', expected);
  });
}

test('a misspelt model name gets a suggestion', async (t) => {
  assert.match(
    (
      await about(
        t,
        good.replace('model: m ', 'model: n ').replace('{ m:', '{ fast:').replace('model: n', 'model: fats'),
      )
    )[0] ?? '',
    /did you mean "fast"\?/,
  );
});

const shapes: readonly (readonly [string, string, RegExp])[] = [
  ['empty', '', /1:1: the file is empty; it needs "agents"/],
  ['only comments', '# nothing\n\n', /the file is empty/],
  ['only a document mark', '---\n', /the file is empty/],
  ['a list', '- a\n- b\n', /1:1: the file must be a mapping with "agents", not a list$/],
  ['a word', 'hello', /the file must be a mapping with "agents"$/],
  ['no agents', 'version: "8"\n', /"agents" is missing; it must be a mapping with an agent "root"$/],
  ['no agent', 'agents: {}\n', /1:1: "agents" must be a mapping with at least one agent, "root"$/],
  ['an empty agent', 'agents:\n  root:\n', /2:3: "root" is empty; it must be a mapping with "model"/],
  [
    'an empty instruction',
    'agents:\n  root:\n    model: openai/x\n    instruction:\n',
    /"instruction" is empty; it must be text, or a list of texts$/,
  ],
  [
    'a number for a text',
    'agents:\n  root:\n    model: openai/x\n    instruction: 5\n',
    /4:18: "instruction" must be text, or a list of texts, not 5$/,
  ],
  ['two documents', 'a: 1\n---\nb: 2\n', /not valid YAML: .*document/],
  ['a duplicate key', `${good}models: {}\n`, /3:1: this key stands here twice/],
  ['an unknown tag', 'agents: !env ROOT\n', /1:9: a tag .* means nothing here/],
  ['a syntax error', 'agents:\n  root: [\n', /agent\.yaml:\d+:\d+: not valid YAML: /],
  [
    'a toolset without type',
    'agents: { root: { model: openai/x, toolsets: [ {} ] } }',
    /"type" is missing; it must be one of filesystem, shell, background_jobs, fetch, think, todo, memory, script, user_prompt, datetime, calculator, random, git, tasks, open_url, model_picker, background_agents, session_plan, session_context, mcp$/,
  ],
  ['a prototype', `${good}__proto__: { a: 1 }\n`, /unknown key "__proto__"/],
];
for (const [name, yaml, expected] of shapes) {
  test(`the problem is reported in one sentence: ${name}`, async (t) => {
    const lines = await about(t, yaml);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', expected);
  });
}

test('aliases that multiply are refused and not expanded', async (t) => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `  l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(12)}]`,
  );
  const lines = await about(t, `metadata:\n  l0: &l0 [x]\n${levels.join('\n')}\n${good}`);
  assert.match(lines[0] ?? '', /its aliases expand to far more than was written$/);
});

test('endless nesting is refused in one sentence', async (t) => {
  for (const text of ['['.repeat(20_000), '- '.repeat(20_000)]) {
    assert.deepEqual(await about(t, text), ['agent.yaml:1:1: cannot be used: it is nested too deeply']);
  }
});

test('a key in place of the name of its variable is never repeated', async (t) => {
  for (const key of ['sk-proj-AbCdEf0123456789', 'gsk_AbCdEf0123456789AbCdEf', 'abcdef0123456789abcdef0123456789']) {
    const lines = await about(
      t,
      `models: { m: { provider: openai, model: x, token_key: ${key} } }\nagents: { root: { model: m } }`,
      {},
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"token_key" must be the name of an environment variable/);
    assert.doesNotMatch(lines.join(), new RegExp(key));
  }
  const lines = await about(
    t,
    `models: { m: { provider: p, model: x, base_url: "https://me:secret@host/v1" } }\nagents: { root: { model: m } }`,
  );
  assert.doesNotMatch(lines.join(), /secret/);
});

const keys: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['unset', {}, /MY_KEY is not set: export it, .*--env-from-file, .*\/run\/secrets\/MY_KEY, .* pass or the keychain/],
  ['empty', { MY_KEY: '' }, /MY_KEY, from the environment, is empty/],
  ['blank', { MY_KEY: ' \n' }, /MY_KEY, from the environment, is empty/],
  ['with a line break', { MY_KEY: 'topsecret\n' }, /MY_KEY, from the environment, holds a line break/],
  ['with a blank inside', { MY_KEY: 'topsecret x' }, /MY_KEY, from the environment, holds a blank/],
];
for (const [name, env, expected] of keys) {
  test(`a key that is ${name} is named with its place before anything runs`, async (t) => {
    const yaml =
      'models:\n  m:\n    provider: openai\n    model: x\n    token_key: MY_KEY\nagents: { root: { model: m } }\n';
    const lines = await about(t, yaml, env);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', expected);
    assert.match(lines[0] ?? '', /^agent\.yaml:5:16: /);
    assert.doesNotMatch(lines.join(), /topsecret/);
  });
}

test('a file that is no UTF-8 text of up to 1 MiB is refused before it is parsed', async (t) => {
  const folder = await scratch(t);
  const at = (name: string) => join(folder, name);
  await mkdir(at('directory'));
  await writeFile(at('binary'), new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]));
  await writeFile(at('latin'), new Uint8Array([0x61, 0x3a, 0x20, 0xe4]));
  await writeFile(at('large'), Buffer.alloc(10 * 1024 * 1024, 'a: b\n'));
  await writeFile(at('utf16'), Buffer.from(good, 'utf16le'));
  await symlink(at('loop'), at('loop'));
  const expected: Record<string, RegExp> = {
    missing: /^missing: there is no such file; check the path$/,
    directory: /^directory: is a directory; name the YAML file in it$/,
    'binary/x': /^x: there is no such file: a part of the path is not a directory$/,
    binary: /is binary, not a YAML text/,
    utf16: /is binary, not a YAML text/,
    latin: /is not UTF-8 text/,
    large: /is larger than 1 MiB/,
    loop: /symbolic link that leads to itself/,
  };
  for (const [name, sentence] of Object.entries(expected)) {
    const lines = await complaints(at(name));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', sentence);
  }
});

test('a pipe that nobody writes to is refused, not waited for', { skip: process.platform === 'win32' }, async (t) => {
  const path = join(await scratch(t), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  assert.match((await complaints(path))[0] ?? '', /is not a regular file/);
});

test(
  'a file that may not be read says so',
  { skip: process.getuid?.() === 0 || process.platform === 'win32' },
  async (t) => {
    const path = await agentFile(t, good);
    await chmod(path, 0o000);
    assert.match((await complaints(path))[0] ?? '', /may not be read by this user/);
  },
);

test('a file with a byte order mark and CRLF is read, and the places of its problems are right', async (t) => {
  const path = await agentFile(t, `\uFEFF${good.replaceAll('\n', '\r\n')}colour: red\r\n`);
  assert.deepEqual(await complaints(path, { OPENAI_API_KEY: 'k' }), [
    'agent.yaml:3:1: unknown key "colour"; the keys here are version, metadata, providers, models, mcps, toolsets, commands, skills, budget, budgets, permissions, agents',
  ]);
});

test('a model on the command line that does not exist, or has no key, is no mistake of the file', async (t) => {
  const path = await agentFile(t, good);
  for (const [model, env, said] of [
    ['nope', { OPENAI_API_KEY: 'k' }, /^--model: there is no model "nope"; /],
    ['xai/grok', { OPENAI_API_KEY: 'k' }, /^--model: XAI_API_KEY is not set/],
  ] as const) {
    await assert.rejects(loadConfig(path, { model, secrets: environmentSecrets(env) }), (error: Error) => {
      assert.match(error.message, said);
      assert.equal(error.message.split('\n').length, 1);
      return true;
    });
  }
});
