import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { serverLabel } from '../../dist/config/toolset.js';
import { ConfigError } from '../../dist/config/file/problem.js';
import { agentFile } from './scratch.js';

const load = async (t: TestContext, yaml: string) => loadConfig(await agentFile(t, yaml));

/** All that is said about a file, each with its place. */
async function complaints(t: TestContext, yaml: string): Promise<string[]> {
  const error: unknown = await load(t, yaml).then(
    () => assert.fail('the file was accepted'),
    (reason: unknown) => reason,
  );
  assert(error instanceof ConfigError, String(error));
  return error.problems.map(({ position, message }) => `${position?.line}:${position?.column}: ${message}`);
}

test('an agent file with every key of an agent is read', async (t) => {
  const { root, agents, permissions } = await load(
    t,
    `
models:
  big: { provider: openai, model: gpt-5.4 }
agents:
  first: { model: big, description: Looks things up }
  root:
    model: big
    fallback: { models: [xai/grok-4, big], retries: 3, cooldown: 1m30s, retry_rate_limits: true }
    welcome_message: Hello.
    sub_agents: [first]
    handoffs: [first]
    add_date: true
    add_environment_info: true
    add_prompt_files: [AGENTS.md]
    max_iterations: 20
    num_history_items: 100
    max_consecutive_tool_calls: 3
    commands:
      fix: Fix it.
      test: { description: Runs tests, instruction: Run the tests. }
    hooks:
      pre_tool_use:
        - { matcher: shell|write_.*, hooks: [{ type: command, command: ./check.sh, timeout: 5 }] }
      post_tool_use: { hooks: { type: command, command: ./log.sh } }
      stop: [{ type: command, command: ./done.sh }]
      session_end: { type: command, command: ./bye.sh }
    toolsets:
      - { type: filesystem, ignore_vcs: false, post_edit: [{ path: "*.ts", cmd: fmt }] }
      - { type: shell, env: { A: b }, tools: [shell], instruction: "{ORIGINAL_INSTRUCTIONS} Be careful." }
      - { type: fetch, timeout: 10, allowed_domains: [example.com] }
      - { type: think }
      - { type: todo, shared: true }
      - { type: memory, path: m.db }
      - { type: script, shell: { lint: { cmd: npm run lint, args: { path: { type: string } }, required: [path] } } }
      - { type: user_prompt }
      - { type: mcp, command: npx, args: [-y, server], env: { A: b }, working_dir: sub }
      - { type: mcp, remote: { url: "https://mcp.example/x", transport_type: sse, headers: { A: b } } }
permissions:
  allow: ["read_*", "shell:cmd=git status*", "mcp:github:get_*"]
  deny: ["shell:cmd=rm -rf*:cwd=/*"]
`,
  );
  assert.deepEqual(
    root.fallback.models.map(({ name }) => name),
    ['xai/grok-4', 'big'],
  );
  const { models: _models, ...fallback } = root.fallback;
  assert.deepEqual(fallback, { retries: 3, cooldownMs: 90_000, retryRateLimits: true });
  assert.deepEqual([root.subAgents, root.handoffs, root.addPromptFiles], [['first'], ['first'], ['AGENTS.md']]);
  assert.deepEqual([root.addDate, root.addEnvironmentInfo, root.welcomeMessage], [true, true, 'Hello.']);
  assert.deepEqual([root.maxIterations, root.numHistoryItems, root.maxConsecutiveToolCalls], [20, 100, 3]);
  assert.deepEqual(root.commands.get('fix'), {
    instruction: 'Fix it.',
    description: '',
    agent: undefined,
    url: undefined,
  });
  assert.deepEqual(root.commands.get('test'), {
    instruction: 'Run the tests.',
    description: 'Runs tests',
    agent: undefined,
    url: undefined,
  });
  assert.deepEqual(root.hooks.pre_tool_use, [
    { matcher: 'shell|write_.*', hooks: [{ type: 'command', command: './check.sh', timeout: 5, on_error: 'warn' }] },
  ]);
  assert.deepEqual(root.hooks.stop, [{ type: 'command', command: './done.sh', timeout: 60, on_error: 'warn' }]);
  assert.deepEqual(root.hooks.session_end, [{ type: 'command', command: './bye.sh', timeout: 60, on_error: 'warn' }]);
  assert.deepEqual(root.hooks.post_tool_use, [
    { matcher: '*', hooks: [{ type: 'command', command: './log.sh', timeout: 60, on_error: 'warn' }] },
  ]);
  assert.equal(root.toolsets.length, 10);
  assert.deepEqual(root.toolsets[8], {
    type: 'mcp',
    command: 'npx',
    args: ['-y', 'server'],
    env: { A: 'b' },
    working_dir: 'sub',
  });
  assert.equal(agents.get('first')?.description, 'Looks things up');
  assert.deepEqual(permissions.allow, [
    { source: 'read_*', tool: 'read_*', arguments: [] },
    { source: 'shell:cmd=git status*', tool: 'shell', arguments: [{ name: 'cmd', glob: 'git status*' }] },
    { source: 'mcp:github:get_*', tool: 'mcp:github:get_*', arguments: [] },
  ]);
  assert.deepEqual(permissions.deny[0]?.arguments, [
    { name: 'cmd', glob: 'rm -rf*' },
    { name: 'cwd', glob: '/*' },
  ]);
});

test('keys that an agent leaves out have their defaults', async (t) => {
  const { root, permissions } = await load(t, 'agents: { root: { model: openai/x } }');
  assert.deepEqual(root.fallback, { models: [], retries: 2, cooldownMs: 60_000, retryRateLimits: false });
  assert.deepEqual([root.maxIterations, root.numHistoryItems, root.maxConsecutiveToolCalls], [Infinity, Infinity, 5]);
  assert.deepEqual([root.addDate, root.subAgents, root.commands.size], [false, [], 0]);
  assert.deepEqual(permissions, { allow: [], ask: [], deny: [] });
});

for (const [written, expected] of [
  [-1, 0],
  [0, 2],
  [7, 7],
] as const) {
  test(`retries: ${written} are ${expected} further attempts`, async (t) => {
    const { root } = await load(t, `agents: { root: { model: openai/x, fallback: { retries: ${written} } } }`);
    assert.equal(root.fallback.retries, expected);
  });
}

for (const [written, expected] of [
  ['30s', 30_000],
  ['1h2m3s', 3_723_000],
  ['1.5m', 90_000],
  ['250ms', 250],
  ['500µs', 0.5],
] as const) {
  test(`a cooldown of ${written} is ${expected} ms`, async (t) => {
    const { root } = await load(t, `agents: { root: { model: openai/x, fallback: { cooldown: ${written} } } }`);
    assert.equal(root.fallback.cooldownMs, expected);
  });
}

test('a run begins with the first agent where none is called "root"', async (t) => {
  assert.equal(
    (await load(t, 'agents: { writer: { model: openai/x }, reader: { model: openai/y } }')).root.name,
    'writer',
  );
  assert.equal((await load(t, 'agents: { writer: { model: openai/x }, root: { model: openai/y } }')).root.name, 'root');
});

test('commands may be a list of mappings, as docker-agent takes them', async (t) => {
  const { root } = await load(
    t,
    'agents: { root: { model: openai/x, commands: [{ a: One. }, { b: Two. }, { a: Three. }] } }',
  );
  assert.deepEqual(
    [...root.commands].map(([name, { instruction }]) => `${name}: ${instruction}`),
    ['a: Three.', 'b: Two.'],
  );
});

test('a toolset may refer to a server of the Docker MCP catalog, which Docker runs', async (t) => {
  const { root } = await load(
    t,
    'agents: { root: { model: openai/x, toolsets: [{ type: mcp, ref: "docker:duckduckgo", tools: [search] }] } }',
  );
  assert.deepEqual(root.toolsets, [
    {
      type: 'mcp',
      ref: 'docker:duckduckgo',
      tools: ['search'],
      command: 'docker',
      args: ['mcp', 'gateway', 'run', '--servers', 'duckduckgo'],
    },
  ]);
});

test('the tools of a server of "mcps" are called as the server calls them, unless it has a name', async (t) => {
  const served = async (fields: string) => {
    const { root } = await load(
      t,
      `mcps: { docs: { command: x${fields} } }
agents: { root: { model: openai/x, toolsets: [{ type: mcp, ref: docs }] } }`,
    );
    const [toolset] = root.toolsets;
    assert.ok(toolset?.type === 'mcp');
    return { name: toolset.name, label: serverLabel(toolset) };
  };
  assert.deepEqual(await served(''), { name: undefined, label: 'docs' });
  assert.deepEqual(await served(', name: wiki'), { name: 'wiki', label: 'wiki' });
});

test('a toolset adds variables to those of a server of "mcps", and changes them', async (t) => {
  const { root } = await load(
    t,
    `mcps: { github: { ref: "docker:github", env: { TOKEN: "\${TOKEN}", HOST: a } } }
agents: { root: { model: openai/x, toolsets: [{ type: mcp, ref: github, env: { HOST: b } }] } }`,
  );
  const [toolset] = root.toolsets;
  assert.ok(toolset?.type === 'mcp');
  assert.deepEqual(toolset.env, { TOKEN: '${TOKEN}', HOST: 'b' });
  assert.deepEqual(toolset.args, ['mcp', 'gateway', 'run', '--servers', 'github']);
});

test('a toolset may refer to a server of "mcps"; its own settings count more', async (t) => {
  const { root } = await load(
    t,
    `mcps: { docs: { remote: { url: "https://mcp.example/" }, tools: [search, get], instruction: Search. } }
agents: { root: { model: openai/x, toolsets: [{ type: mcp, ref: docs, tools: [search] }] } }`,
  );
  assert.deepEqual(root.toolsets, [
    { type: 'mcp', label: 'docs', remote: { url: 'https://mcp.example/' }, tools: ['search'], instruction: 'Search.' },
  ]);
});

const agent = (fields: string) => `agents:\n  root: { model: openai/x, ${fields} }\n  writer: { model: openai/x }\n`;
const refused: readonly (readonly [string, string, RegExp])[] = [
  ['a misspelt agent', agent('sub_agents: [wirter]'), /2:41: there is no agent "wirter"; did you mean "writer"\?/],
  ['an agent that is not there', agent('handoffs: [x]'), /there is no agent "x"; define it under "agents"/],
  ['an agent of its own', agent('handoffs: [root]'), /an agent cannot be one of its own/],
  ['an agent from a registry', agent('sub_agents: [me/reviewer]'), /agents from elsewhere \("me\/reviewer"\)/],
  ['a fallback that is not there', agent('fallback: { models: [fast] }'), /2:49: there is no model "fast"/],
  [
    'too many retries',
    agent('fallback: { retries: 1000 }'),
    /"retries" must be a whole number from -1 to 100, not 1000/,
  ],
  ['a duration without a unit', agent('fallback: { cooldown: "60" }'), /"cooldown" must be a duration/],
  ['a duration of a year', agent('fallback: { cooldown: 8760h }'), /"cooldown" must be a duration of at most 24h/],
  [
    'a command without a prompt',
    agent('commands: { fix: { description: x } }'),
    /"fix" must be a prompt \(text\), or a mapping with "instruction", "agent" or "url"$/,
  ],
  [
    'a command that is a list',
    agent('commands: { fix: [a] }'),
    /"fix" must be a prompt \(text\), or a mapping with "instruction", "agent" or "url", not a list/,
  ],
  ['a command with a blank', agent('commands: { "fix it": x }'), /"fix it" cannot be a name in a mapping/],
  ['a hook without a command', agent('hooks: { stop: [{ type: command }] }'), /"command" is missing/],
  [
    'a built-in hook',
    agent('hooks: { turn_start: [{ type: builtin, command: add_dat }] }'),
    /"command" must be a builtin that does something at turn_start: add_date, .*, not "add_dat"; did you mean "add_date"\?/,
  ],
  [
    'a builtin hook at a point where it does nothing',
    agent('hooks: { stop: { type: builtin, command: add_date } }'),
    /"command" must be a builtin that does something at stop: http_post, not "add_date"/,
  ],
  [
    'transform_json without the keys that it keeps',
    agent('hooks: { tool_response_transform: { hooks: { type: builtin, command: transform_json } } }'),
    /"args" is missing; it must be the keys that are kept/,
  ],
  [
    'a builtin hook with arguments that it does not take',
    agent('hooks: { before_llm_call: { type: builtin, command: max_iterations, args: [many] } }'),
    /"args" must be one number, such as \["50"\]/,
  ],
  [
    'a hook by an evaluator',
    agent('hooks: { stop: [{ type: evaluator, evaluator: x }] }'),
    /"evaluator" is a kind of docker-agent hook that turnwire does not support yet; instead, use type model/,
  ],
  [
    'a hook by a model that there is not',
    agent('hooks: { stop: [{ type: model, model: judge, prompt: y }] }'),
    /there is no model "judge"/,
  ],
  [
    'a hook by a model whose answer would not count',
    agent('hooks: { turn_end: [{ type: model, model: openai/x, prompt: y }] }'),
    /"type" must be command or builtin: at turn_end the answer of a model counts for nothing/,
  ],
  [
    'a guard of skills by a model without a decision',
    agent('hooks: { skill_content_guard: [{ type: model, model: openai/x, prompt: y }] }'),
    /"schema" is missing; it must be guard_decision: at skill_content_guard nothing else/,
  ],
  [
    'a hook by a model with an unsupported template',
    agent('hooks: { stop: [{ type: model, model: openai/x, prompt: "{{ if .Prompt }}x{{ end }}" }] }'),
    /"prompt" must be a text in which {{ \.Field }} stands/,
  ],
  [
    'a hook that is to end what it cannot end',
    agent('hooks: { stop: { type: command, command: x, on_error: block } }'),
    /"on_error" must be warn or ignore: a hook of stop ends nothing/,
  ],
  ['a hook as a mapping without a command', agent('hooks: { stop: { type: command } }'), /"command" is missing/],
  ['a hook that is a text', agent('hooks: { stop: ./x.sh }'), /"stop" must be a list of hooks, such as/],
  [
    'an unsupported key of hooks, in a mapping',
    agent('hooks: { stop: { type: command, command: x, args: [a] } }'),
    /"args" is a docker-agent key that turnwire does not support yet/,
  ],
  ['a misspelt hook', agent('hooks: { pre_tool_us: [] }'), /unknown key "pre_tool_us"; did you mean "pre_tool_use"\?/],
  [
    'a matcher that is no pattern',
    agent('hooks: { pre_tool_use: [{ matcher: "(", hooks: [] }] }'),
    /"matcher" must be a regular expression/,
  ],
  [
    'a schema that is no object',
    agent('structured_output: { name: x, schema: { type: array, properties: {} } }'),
    /"type" must be object/,
  ],
  [
    'a name the API refuses',
    agent('structured_output: { name: "a b", schema: { type: object, properties: {} } }'),
    /"name" must be a name of at most 64/,
  ],
  [
    'a misspelt toolset',
    agent('toolsets: [{ type: filesytem }]'),
    /2:47: "type" must be one of .*did you mean "filesystem"\?/,
  ],
  [
    'a toolset that is a word',
    agent('toolsets: [filesystem]'),
    /entry 1 of this list must be a mapping, such as \{ type: filesystem \}$/,
  ],
  [
    'a key of another toolset',
    agent('toolsets: [{ type: think, command: x }]'),
    /unknown key "command"; the keys here are type, tools, instruction, defer, model, toon, readonly$/,
  ],
  [
    'an MCP server without anything',
    agent('toolsets: [{ type: mcp }]'),
    /2:39: an MCP server needs "command" .* or "remote"/,
  ],
  [
    'an MCP server twice',
    agent('toolsets: [{ type: mcp, command: x, remote: { url: "http://x/" } }]'),
    /"command" or "remote", not both/,
  ],
  [
    'arguments for a remote',
    agent('toolsets: [{ type: mcp, args: [x], remote: { url: "http://x/" } }]'),
    /are for a "command"; a "remote" has "headers"/,
  ],
  [
    'a server of the catalog without a name',
    agent('toolsets: [{ type: mcp, ref: "docker:" }]'),
    /write it as docker:NAME, with a name of the Docker MCP catalog/,
  ],
  [
    'a deferred tool that the toolset does not have',
    agent('toolsets: [{ type: calculator, defer: [calculat] }]'),
    /the toolset calculator has no tool "calculat"; did you mean calculate\?/,
  ],
  [
    'a deferred tool that is not offered',
    agent('toolsets: [{ type: shell, tools: [shell], defer: [run_background_job] }]'),
    /"tools" does not offer "run_background_job"; name it there, too/,
  ],
  [
    'a folder for a server of the catalog',
    agent('toolsets: [{ type: mcp, ref: "docker:context7", working_dir: x }]'),
    /do not reach a server of the Docker MCP catalog; it is set up by "config" and "env"/,
  ],
  [
    'a folder for a server of the catalog that stands under "mcps"',
    `mcps: { docs: { ref: "docker:context7" } }\n${agent('toolsets: [{ type: mcp, ref: docs, args: [x] }]')}`,
    /do not reach a server of the Docker MCP catalog/,
  ],
  [
    'variables for a remote that stands under "mcps"',
    `mcps: { docs: { remote: { url: "http://x/" } } }\n${agent('toolsets: [{ type: mcp, ref: docs, env: { A: b } }]')}`,
    /are for a "command"; a "remote" has "headers"/,
  ],
  [
    'the name of a secret of Docker for a command',
    agent('toolsets: [{ type: mcp, command: x, env: { a.b: c } }]'),
    /"env" has "a\.b", which is no name of a variable/,
  ],
  [
    'a server that is not there',
    agent('toolsets: [{ type: mcp, ref: docs }]'),
    /there is no MCP server "docs"; define it under "mcps"/,
  ],
  [
    'a remote that is no address',
    agent('toolsets: [{ type: mcp, remote: { url: nowhere } }]'),
    /"url" must be an http/,
  ],
  [
    'a pattern among the folders that are denied',
    agent('toolsets: [{ type: filesystem, deny_list: ["**/.env"] }]'),
    /"\*\*\/\.env" is a pattern, and this list names folders and files; deny them by a rule: permissions: .*"\*:path=\*\*\/\.env"/,
  ],
  [
    'a domain that can match no host',
    agent('toolsets: [{ type: fetch, blocked_domains: ["https://example.com/x"] }]'),
    /"https:\/\/example\.com\/x" is no host; write a name such as example\.com/,
  ],
  [
    'both lists of domains',
    agent('toolsets: [{ type: fetch, allowed_domains: [a], blocked_domains: [b] }]'),
    /exclude each other/,
  ],
  [
    'an argument that is none',
    agent('toolsets: [{ type: script, shell: { a: { cmd: x, required: [y] } } }]'),
    /"required" names "y", which is not in "args"/,
  ],
  [
    'a rule that is none',
    `${agent('')}permissions: { allow: ["shell cmd"] }\n`,
    /4:24: entry 1 of this list must be a rule/,
  ],
  ['a misspelt list of rules', `${agent('')}permissions: { alow: [] }\n`, /unknown key "alow"; did you mean "allow"\?/],
];
for (const [name, yaml, expected] of refused) {
  test(`${name} is refused with its place and a sentence`, async (t) => {
    const lines = await complaints(t, yaml);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', expected);
  });
}

test('the problems of all parts of a file are reported at once', async (t) => {
  const lines = await complaints(
    t,
    `providers: { p: { token_key: K } }
models: { m: { provider: p, model: x, top_p: 2 } }
mcps: { s: {} }
permissions: { ask: 5 }
agents:
  root: { model: m, sub_agents: [nobody], add_date: maybe, toolsets: [{ type: mcp, ref: s }] }
  other: { model: nothing }
`,
  );
  const starts = ['1:14', '2:46', '3:9', '4:21', '6:34', '6:53', '7:19'];
  assert.deepEqual(
    lines.map((line) => line.split(': ')[0]),
    starts,
    lines.join('\n'),
  );
});
