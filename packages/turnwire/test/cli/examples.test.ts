import assert from 'node:assert/strict';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { remoteServer } from '../agent/mcp/sdk-server.js';
import { turnwire } from './console.js';
import { scratch } from './scratch.js';

const examples = fileURLToPath(new URL('../../../../examples/agents/', import.meta.url));
const mcpCommand = fileURLToPath(new URL('../agent/mcp/sdk-server-command.js', import.meta.url));

type Mapping = Record<string, unknown>;
interface AgentFile extends Mapping {
  models?: Record<string, Mapping>;
  agents: Record<string, { model: string; fallback?: { models?: string[] }; toolsets?: Mapping[] }>;
  mcps?: Record<string, Mapping>;
}

/** The file with the emulator in place of each provider, and servers of the test in place of those that it names; all else as it is. */
async function emulated(t: TestContext, name: string): Promise<AgentFile> {
  const file = parse(await readFile(join(examples, name), 'utf8')) as AgentFile;
  const inline = (model: string): string =>
    model.includes('/') ? `emulator/${model.split('/').slice(1).join('/')}` : model;
  for (const [key, { model, cost }] of Object.entries(file.models ?? {}))
    file.models = { ...file.models, [key]: { provider: 'emulator', model, ...(cost === undefined ? {} : { cost }) } };
  delete file['providers'];
  for (const agent of Object.values(file.agents)) {
    agent.model = inline(agent.model);
    if (agent.fallback?.models !== undefined) agent.fallback.models = agent.fallback.models.map(inline);
    for (const toolset of agent.toolsets ?? []) if (toolset['type'] === 'mcp') await reachable(t, toolset);
  }
  for (const server of Object.values(file.mcps ?? {})) await reachable(t, server);
  return file;
}

async function reachable(t: TestContext, server: Mapping): Promise<void> {
  if (server['command'] !== undefined) Object.assign(server, { command: process.execPath, args: [mcpCommand] });
  const remote = server['remote'] as Mapping | undefined;
  if (remote === undefined) return;
  remote['url'] = (await remoteServer(t, remote['transport_type'] === 'sse' ? 'sse' : 'streamable')).url;
  if (server['tools'] !== undefined) server['tools'] = ['add'];
}

interface Play {
  prompt?: string;
  /** What the model does. */
  script: string;
  files?: Readonly<Record<string, string>>;
  /** What has to be among the events. */
  shows: readonly RegExp[];
}

const plays: Readonly<Record<string, Play>> = {
  'assistant.yaml': {
    script:
      'turns: [{ calls: [{ name: read_file, arguments: { path: a.txt } }, { name: shell, arguments: { cmd: wc -l < a.txt } }] }, { text: "Read: {{ read_file }}" }]',
    files: { 'a.txt': 'one line\n' },
    shows: [/"response":"one line\\n"/, /"reason":"completed"/],
  },
  'commands.yaml': {
    prompt: '/review the tests',
    script: 'turns: [{ calls: [{ name: add_memory, arguments: { memory: Reviewed. } }] }, { text: Fine. }]',
    files: { 'AGENTS.md': 'Tests first.' },
    shows: [/"message":"Review what is not committed yet\. [^"]*\\n\\nthe tests"/, /"outcome":"done"/],
  },
  'fallback.yaml': {
    script:
      'rules: [{ match: { model: our-gpt-5 }, reply: { text: Here. } }, { match: { model: gpt-5.4 }, reply: { error: { status: 403, message: no } } }]',
    shows: [/"type":"model_fallback","from":"first","to":"second"/, /"reason":"completed"/],
  },
  'guarded.yaml': {
    script:
      'turns: [{ calls: [{ name: shell, arguments: { cmd: sudo ls } }, { name: shell, arguments: { cmd: echo hello } }] }, { text: Done. }]',
    files: { 'check-call.sh': '#!/bin/sh\nexit 0\n' },
    shows: [/the rule \\"shell:cmd=sudo\*\\" denies it/, /"outcome":"done","response":"hello"/],
  },
  'mcp.yaml': {
    script:
      'turns: [{ calls: [{ name: add, arguments: { a: 1, b: 2 } }, { name: issues_add, arguments: { a: 3, b: 4 } }, { name: docs_add, arguments: { a: 5, b: 6 } }] }, { text: Added. }]',
    shows: [/"response":"3"/, /"response":"7"/, /"response":"11"/],
  },
  'models.yaml': { script: 'turns: [{ text: One paragraph. }]', shows: [/"total_cost":/, /"reason":"completed"/] },
  'provider.yaml': {
    script:
      'rules: [{ match: { model: house-small }, reply: { text: "42" } }, { match: { input: "/^42$/" }, reply: { text: It is 42. } }, { match: { model: house-large }, reply: { calls: [{ name: transfer_task, arguments: { agent: quick, task: How many? } }] } }]',
    shows: [/"from":"root","to":"quick","reason":"transfer_task"/, /"response":"42"/],
  },
  'structured-output.yaml': {
    script: `turns: [{ text: '{"component":"agent","severity":2,"summary":"It stops."}' }]`,
    shows: [/"reason":"completed"/],
  },
  'team.yaml': {
    script: `rules:
  - { match: { input: Look for it. }, reply: { calls: [{ name: list_directory, arguments: { path: . } }] } }
  - { match: { input: notes.md }, reply: { text: It is in the notes. } }
  - { match: { input: It is in the notes. }, reply: { calls: [{ name: handoff, arguments: { agent: support } }] } }
  - { match: { input: is with support now }, reply: { text: Hello from support. } }
  - { match: { input: Go. }, reply: { calls: [{ name: think, arguments: { thought: who? } }, { name: transfer_task, arguments: { agent: researcher, task: Look for it. } }] } }
`,
    files: { 'notes.md': 'x' },
    shows: [/"to":"researcher","reason":"transfer_task"/, /"to":"support","reason":"handoff"/, /"reason":"completed"/],
  },
};

describe('examples/agents', () => {
  test('each example has its play here', async () => {
    const files = (await readdir(examples)).filter((name) => name.endsWith('.yaml'));
    assert.deepEqual(files.sort(), Object.keys(plays).sort());
  });

  for (const [name, { prompt = 'Go.', script, files = {}, shows }] of Object.entries(plays)) {
    test(`the example ${name} runs`, { skip: process.platform === 'win32' }, async (t) => {
      const agent = stringify(await emulated(t, name));
      const folder = await scratch(t, { 'agent.yaml': agent, 'script.yaml': script, ...files });
      if (files['check-call.sh'] !== undefined) await chmod(join(folder, 'check-call.sh'), 0o700);
      const argv = [
        'run',
        join(folder, 'agent.yaml'),
        prompt,
        '--script',
        join(folder, 'script.yaml'),
        '--yolo',
        '--json',
      ];
      const env = { TURNWIRE_HOME: join(folder, 'home'), ISSUES_TOKEN: 'any' };
      const { status, stdout, stderr } = await turnwire(argv, { cwd: folder, env });
      assert.equal(status, 0, stderr);
      for (const pattern of shows) assert.match(stdout, pattern);
    });
  }
});
