import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { instructionsAround } from '../../../dist/agent/conversation/instructions.js';
import { createSession } from '../../../dist/agent/session.js';
import { openSkills } from '../../../dist/agent/skills/skills-toolset.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient, type ScriptedTurn } from '../scripted-client.js';

const skip = process.platform === 'win32' ? 'POSIX shell' : false;
const print = (text: string, more: object = {}) => ({
  type: 'command',
  name: 'guard',
  command: `cat > told.json; printf '%s' '${text}'`,
  ...more,
});
const yes = print('{"continue":true}');

async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
  } catch {
    // The events say it.
  }
  return seen;
}

/** A run in a folder with prompt files and a skill. */
async function run(t: TestContext, hooks: object, turns: ScriptedTurn[]) {
  const directory = await scratch(t, {
    'AGENTS.md': 'Be brief. SECRET-PHRASE',
    '.agents/skills/deploy/SKILL.md': '---\ndescription: Deploys.\n---\nRun make. SECRET-PHRASE',
    '.agents/skills/deploy/steps.md': 'One, two. SECRET-PHRASE',
    '.git/HEAD': '',
  });
  const written = { ...agent, addPromptFiles: ['AGENTS.md'], hooks: hooksSchema.parse(hooks) };
  const around = { directory, tools: '', agents: new Map(), now: new Date() };
  const found = { found: true, names: undefined, inline: [], addresses: [] };
  const skills = await openSkills(found, { directory, home: undefined, warn: (message) => assert.fail(message) });
  const client = scriptedClient(turns);
  const session = createSession({
    client,
    agent: written,
    tools: skills.tools,
    approval: 'yolo',
    ...(await instructionsAround(written, around)),
    hooksIn: { directory, env: { PATH: process.env['PATH'] } },
    id: 'the-session',
  });
  const events = await collect(session.run('Go.'));
  return { events, client, directory, last: events.at(-1) };
}

/** Every answer that is no yes, as docker-agent's own tests have them. */
const noes: readonly (readonly [string, object])[] = [
  ['block', print('{"decision":"block","reason":"SECRET-PHRASE"}')],
  ['continue: false', print('{"continue":false,"stop_reason":"SECRET-PHRASE"}')],
  ['a yes that blocks', print('{"continue":true,"decision":"block"}')],
  ['nothing', print('')],
  ['an empty object', print('{}')],
  ['a text', print('SECRET-PHRASE')],
  ['half of an answer', print('{"continue":true')],
  ['an unknown field', print('{"continue":true,"extra":1}')],
  ['a field of another point', print('{"continue":true,"hook_specific_output":{"updated_tool_response":"x"}}')],
  ['a permission', print('{"hook_specific_output":{"permission_decision":"allow"}}')],
  ['a yes and context', print('{"continue":true,"hook_specific_output":{"additional_context":"x"}}')],
  ['two answers in one', print('{"continue":false,"continue":true}')],
  ['status 1', { type: 'command', name: 'guard', command: 'echo SECRET-PHRASE >&2; exit 1' }],
  ['status 2', { type: 'command', name: 'guard', command: 'echo SECRET-PHRASE >&2; exit 2' }],
  ['status 1 with on_error: ignore', { type: 'command', command: 'exit 1', on_error: 'ignore' }],
  ['no program', { type: 'command', command: './nothing-there' }],
];

describe('prompt_file_guard', { skip }, () => {
  test('with a yes of each hook the model gets the file, and each hook has seen it', async (t) => {
    const { client, directory, last } = await run(t, { prompt_file_guard: [yes, yes] }, [{ output: [say('Done.')] }]);
    assert.deepEqual(last, { type: 'stream_stopped', reason: 'completed' });
    assert.match(String(client.asked[0]?.instructions), /From AGENTS\.md:\n\nBe brief\. SECRET-PHRASE$/);
    const told = JSON.parse(await readFile(join(directory, 'told.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(told['session_id'], 'the-session');
    assert.equal(told['source'], 'loaded');
    assert.deepEqual(told['prompt_file'], { path: join(directory, 'AGENTS.md'), content: 'Be brief. SECRET-PHRASE' });
  });

  for (const [name, hook] of noes) {
    test(`${name}: no turn is taken, and the hook's words are passed to nobody`, async (t) => {
      const { events, client, last } = await run(t, { prompt_file_guard: [yes, hook] }, []);
      assert.deepEqual(client.asked, []);
      assert.deepEqual(last, { type: 'stream_stopped', reason: 'hook_blocked' });
      assert.doesNotMatch(JSON.stringify(events), /SECRET-PHRASE/);
    });
  }

  test('a file found by the builtin add_prompt_files needs a yes, too', async (t) => {
    const builtin = { type: 'builtin', command: 'add_prompt_files', args: ['AGENTS.md'] };
    const hooks = { turn_start: builtin, prompt_file_guard: yes };
    const open = await run(t, hooks, [{ output: [say('Done.')] }]);
    assert.match(JSON.stringify(open.client.asked[0]?.input), /From AGENTS\.md/);
    // The agent's own file is approved, and the same file is refused to the hook.
    const once = { type: 'command', command: `test -e asked || { touch asked; printf '{"continue":true}'; }` };
    const shut = await run(t, { ...hooks, prompt_file_guard: once }, [{ output: [say('Done.')] }]);
    assert.doesNotMatch(JSON.stringify(shut.client.asked[0]?.input), /From AGENTS\.md/);
    const warnings = shut.events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    assert.match(warnings.join(), /add_prompt_files failed: the hook .* did not approve AGENTS\.md/);
  });
});

describe('skill_content_guard', { skip }, () => {
  const calls: readonly (readonly [string, Record<string, string>])[] = [
    ['read_skill', { name: 'deploy' }],
    ['read_skill_file', { skill_name: 'deploy', path: 'steps.md' }],
  ];
  const both = { prompt_file_guard: yes };
  for (const [tool, args] of calls) {
    const turns = [{ output: [call('1', tool, args)] }, { output: [say('Done.')] }];
    test(`${tool}: with a yes the model gets its text`, async (t) => {
      const { client } = await run(t, { ...both, skill_content_guard: yes }, turns);
      assert.match(JSON.stringify(client.asked[1]?.input), /SECRET-PHRASE/);
    });

    test(`${tool}: without a yes the model is told only which hook did not approve it`, async (t) => {
      for (const [, hook] of noes) {
        const { client, last } = await run(t, { ...both, skill_content_guard: [yes, hook] }, turns);
        assert.deepEqual(last, { type: 'stream_stopped', reason: 'completed' });
        const told = JSON.stringify(client.asked[1]?.input);
        assert.doesNotMatch(told, /One, two|Run make/);
        assert.match(told, /did not approve the skill deploy/);
      }
    });
  }
});
