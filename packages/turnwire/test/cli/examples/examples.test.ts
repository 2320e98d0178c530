import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { remoteServer } from '../../agent/mcp/servers/sdk-server.js';
import { turnwire } from '../console.js';
import { scratch } from '../scratch.js';

const examples = fileURLToPath(new URL('../../../../../examples/agents/', import.meta.url));
const mcpCommand = fileURLToPath(new URL('../../agent/mcp/servers/sdk-server-command.js', import.meta.url));

type Mapping = Record<string, unknown>;
interface AgentFile extends Mapping {
  models?: Record<string, Mapping>;
  agents: Record<string, { model: string; fallback?: { models?: string[] }; toolsets?: Mapping[]; skills?: unknown }>;
  skills?: Record<string, unknown>;
  mcps?: Record<string, Mapping>;
}

/** The file with the emulator in place of each provider, and servers of the test in place of those that it names; all else as it is. */
async function emulated(t: TestContext, name: string): Promise<AgentFile> {
  const file = parse(await readFile(join(examples, name), 'utf8')) as AgentFile;
  const inline = (model: string): string =>
    model.includes('/') ? `emulator/${model.split('/').slice(1).join('/')}` : model;
  for (const [key, entry] of Object.entries(file.models ?? {})) {
    const first = entry['first_available'] as string[] | undefined;
    const { provider: _provider, base_url: _url, token_key: _key, provider_opts: _options, ...rest } = entry;
    const emulator = first === undefined ? { ...rest, provider: 'emulator' } : { first_available: first.map(inline) };
    file.models = { ...file.models, [key]: emulator };
  }
  for (const skills of [
    ...Object.values(file.skills ?? {}),
    ...Object.values(file.agents).map((agent) => agent.skills),
  ])
    for (const skill of Array.isArray(skills) ? (skills as Mapping[]) : [])
      if (typeof skill['model'] === 'string') skill['model'] = inline(skill['model']);
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
  /** A program that it cannot do without. */
  needs?: string;
  /** Done in its folder before. */
  before?: (folder: string) => void;
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
  'choosing.yaml': {
    prompt: 'fix this bug please',
    script: `rules:
  - { match: { input: "/pair says/" }, reply: { text: Fixed. } }
  - { match: { input: "/strong goes on/" }, reply: { calls: [{ name: revert_model }] } }
  - { match: { input: "/you began with goes on/" }, reply: { calls: [{ name: list_directory, arguments: { path: . } }] } }
  - { match: { input: "/a.txt/" }, reply: { calls: [{ name: transfer_task, arguments: { agent: pair, task: Think of it. } }] } }
  - { match: { input: Think of it. }, reply: { calls: [{ name: think, arguments: { thought: hm } }] } }
  - { match: { input: Noted. }, reply: { text: pair says so } }
  - { match: { input: fix this bug please, model: gpt-5.4 }, reply: { calls: [{ name: change_model, arguments: { model: strong } }] } }
`,
    files: { 'a.txt': 'x' },
    shows: [/strong goes on/, /you began with goes on/, /"response":"pair says so"/, /"content":"Fixed\."/],
  },
  'commands.yaml': {
    prompt: '/review the tests',
    script: 'turns: [{ calls: [{ name: add_memory, arguments: { memory: Reviewed. } }] }, { text: Fine. }]',
    files: { 'AGENTS.md': 'Tests first.' },
    shows: [/"message":"Review what is not committed yet\. [^"]*\\n\\nthe tests"/, /"outcome":"done"/],
  },
  'everyday.yaml': {
    script: `turns:
  - calls:
      - { name: current_datetime, arguments: { timezone: UTC } }
      - { name: convert_datetime, arguments: { datetime: "2026-01-01T00:00:00Z", timezone: UTC } }
      - { name: calculate, arguments: { expression: 6 * 7 } }
      - { name: random_number, arguments: { min: 5, max: 5 } }
      - { name: random_choice, arguments: { options: [only] } }
      - { name: random_uuid }
      - { name: git_status }
      - { name: git_diff }
      - { name: git_log }
      - { name: git_branches }
      - { name: git_show }
      - { name: git_blame, arguments: { path: README.md } }
      - { name: create_task, arguments: { title: Third } }
      - { name: get_task, arguments: { id: one } }
      - { name: update_task, arguments: { id: one, status: done } }
      - { name: add_dependency, arguments: { taskId: two, dependsOnId: one } }
      - { name: remove_dependency, arguments: { taskId: two, dependsOnId: one } }
      - { name: list_tasks }
      - { name: next_task }
      - { name: delete_task, arguments: { id: one } }
      - { name: open_board }
  - { text: All done. }
`,
    needs: 'git',
    files: {
      'README.md': 'x\n',
      'bin/xdg-open': '#!/bin/sh\necho "$1" > "$HOME/opened.txt"\n',
      'tasks.json': JSON.stringify({
        turnwire: 'tasks',
        tasks: ['one', 'two'].map(task),
      }),
    },
    before(folder) {
      const git = (...args: string[]): void =>
        void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
      git('init', '-q');
      git('add', 'README.md');
      git('commit', '-qm', 'Begin');
    },
    shows: [
      /"response":"2026-01-01T00:00:00\+00:00 \(Thursday, UTC\)"/,
      /"response":"42"/,
      /"response":"only"/,
      /t: Begin/,
      /Deleted one\./,
      /Opened https:\/\/example\.com\/board\./,
      /^(?!.*"outcome":"(?:failed|declined)")/s,
    ],
  },
  'planning.yaml': {
    prompt: '/plan tidy up',
    script: `rules:
  - { match: { input: tidy up }, reply: { calls: [{ name: write_session_plan, arguments: { content: "1. Tidy." } }] } }
  - { match: { input: "/The plan is in/" }, reply: { calls: [{ name: read_session_plan }, { name: exit_plan_mode }] } }
  - { match: { input: "/been shown the plan/" }, reply: { text: Final. } }
`,
    shows: [/"response":"1\. Tidy\."/, /"type":"plan_ready","plan":"1\. Tidy\."/, /"content":"Final\."/],
  },
  'research.yaml': {
    script: `rules:
  - { match: { input: "/Give this conversation a title/" }, reply: { text: Two files } }
  - { match: { input: "/task_1 of reader/" }, reply: { text: Finished. } }
  - { match: { input: Go. }, reply: { calls: [{ name: run_background_agent, arguments: { agent: reader, task: Read. } }, { name: transfer_task, arguments: { agent: counter, task: Count. } }] } }
  - { match: { input: Read. }, reply: { text: It was read. } }
  - { match: { input: Count. }, reply: { calls: [{ name: run_background_job, arguments: { cmd: sleep 30 } }, { name: list_background_jobs }, { name: view_background_job, arguments: { job_id: job_1 } }, { name: stop_background_job, arguments: { job_id: job_1 } }, { name: run_background_job, arguments: { cmd: echo counted, recall: true } }] } }
  - { match: { input: "/Started job_2/" }, reply: { text: Waited. } }
  - { match: { input: Counted. }, reply: { calls: [{ name: list_background_agents }, { name: view_background_agent, arguments: { task_id: task_1 } }, { name: stop_background_agent, arguments: { task_id: task_1 } }, { name: wait_background_agents, arguments: { task_ids: [task_1] } }] } }
  - { match: { model: gpt-5.4-mini }, reply: { text: Counted. } }
`,
    files: { 'research.md': 'Split the question.' },
    shows: [/Started task_1/, /"type":"recalled"/, /It was read\./, /"content":"Finished\."/, /"session_title"/],
  },
  'skills.yaml': {
    script: `rules:
  - { match: { input: Go. }, reply: { calls: [{ name: read_skill, arguments: { name: changelog } }, { name: read_skill, arguments: { name: release } }, { name: read_skill_file, arguments: { skill_name: release, path: steps.md } }] } }
  - { match: { input: "/First the tests/" }, reply: { calls: [{ name: run_skill, arguments: { name: triage, task: It stops. } }] } }
  - { match: { input: It stops. }, reply: { text: The disk is full. } }
  - { match: { input: The disk is full. }, reply: { text: Done. } }
`,
    files: {
      '.agents/skills/release/SKILL.md': '---\nname: release\ndescription: Releases.\n---\nFollow steps.md.\n',
      '.agents/skills/release/steps.md': 'First the tests.',
    },
    shows: [/One imperative sentence/, /Follow steps\.md\./, /First the tests/, /"response":"The disk is full\."/],
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

/** A task as `tasks.json` holds it. */
function task(id: string): object {
  const fields = { description: '', priority: 'low', status: 'pending', dependencies: [], created: '', updated: '' };
  return { id, title: id, ...fields };
}

/** Why a play cannot be played here. */
function missing(needs: string | undefined): string | false {
  if (process.platform === 'win32') return 'it needs a POSIX shell';
  return needs === undefined || spawnSync(needs, ['--version']).status === 0 ? false : `no ${needs} here`;
}

describe('examples/agents', () => {
  test('each example has its scripted run in this test', async () => {
    const files = (await readdir(examples)).filter((name) => name.endsWith('.yaml'));
    assert.deepEqual(files.sort(), Object.keys(plays).sort());
  });

  for (const [name, { prompt = 'Go.', script, files = {}, shows, needs, before }] of Object.entries(plays)) {
    test(`the example ${name} runs`, { skip: missing(needs) }, async (t) => {
      const agent = stringify(await emulated(t, name));
      const folder = await scratch(t, { 'agent.yaml': agent, 'script.yaml': script, ...files });
      for (const program of ['check-call.sh', 'bin/xdg-open'])
        if (files[program] !== undefined) await chmod(join(folder, program), 0o700);
      before?.(folder);
      const argv = [
        'run',
        join(folder, 'agent.yaml'),
        prompt,
        '--script',
        join(folder, 'script.yaml'),
        '--yolo',
        '--json',
      ];
      const path = `${join(folder, 'bin')}:${process.env['PATH']}`;
      const env = { TURNWIRE_HOME: join(folder, 'home'), ISSUES_TOKEN: 'any', PATH: path, HOME: folder };
      const { status, stdout, stderr } = await turnwire(argv, { cwd: folder, env });
      assert.equal(status, 0, stderr);
      for (const pattern of shows) assert.match(stdout, pattern);
    });
  }
});
