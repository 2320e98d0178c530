import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession, type SessionOptions } from '../../../dist/agent/session.js';
import { defineTool, type Tool } from '../../../dist/agent/tools/tool.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';
import { agent } from '../agent.js';
import { call, say, type ScriptedTurn, scriptedClient } from '../scripted-client.js';
import { toolsOf } from './tools.js';

const ran: string[] = [];
const tool = (name: string, description: string, deferred = true): Tool => ({
  ...defineTool({
    name,
    description,
    readOnly: false,
    input: z.object({}),
    run: () => {
      ran.push(name);
      return Promise.resolve(`${name} ran`);
    },
  }),
  deferred,
});
const tools = [
  tool('list_issues', 'Lists what is open.'),
  tool('close_issue', 'Ends a report.'),
  tool('shell', 'Runs.', false),
];

/** The turns of a session whose agent has deferred tools, and what it was asked, told and answered. */
async function played(turns: ScriptedTurn[], options: Partial<SessionOptions> = {}) {
  ran.length = 0;
  const client = scriptedClient(turns);
  const session = createSession({ client, agent, tools, approval: 'yolo', ...options });
  const seen: AgentEvent[] = [];
  for await (const event of session.run('go')) seen.push(event);
  const offered = client.asked.map(({ tools: given = [] }) => given.map((each) => (each as { name: string }).name));
  const answers = seen.flatMap((event) =>
    event.type === 'tool_call_response' ? [[event.outcome, event.response] as const] : [],
  );
  return { session, offered, answers };
}

const end: ScriptedTurn = { output: [say('end')] };

describe('deferred tools', () => {
  test('are shown to the model once it has added them, after the other tools', async () => {
    const { offered } = await played([
      { output: [call('c1', 'search_tool', { query: 'ISSUE' })] },
      { output: [call('c2', 'add_tool', { name: 'close_issue' })] },
      { output: [call('c3', 'close_issue', {})] },
      end,
    ]);
    const before = ['shell', 'search_tool', 'add_tool'];
    assert.deepEqual(offered, [before, before, [...before, 'close_issue'], [...before, 'close_issue']]);
    assert.deepEqual(ran, ['close_issue']);
  });

  test('search_tool searches names and descriptions in any case, and reports where none is found', async () => {
    const { answers } = await played([
      { output: [call('c4', 'search_tool', { query: 'REPORT' })] },
      { output: [call('c5', 'search_tool', { query: 'open issues' })] },
      { output: [call('c6', 'search_tool', { query: 'calendar' })] },
      end,
    ]);
    const [first, second, third] = answers.map(([, text]) => text);
    assert.match(first ?? '', /close_issue/);
    assert.doesNotMatch(first ?? '', /list_issues/);
    assert.match(second ?? '', /list_issues/);
    assert.match(third ?? '', /no deferred tool.*calendar/i);
  });

  test('a tool that was not added does not run', async () => {
    const { answers } = await played([{ output: [call('c7', 'close_issue', {})] }, end]);
    assert.deepEqual(ran, []);
    assert.match(answers[0]?.[1] ?? '', /there is no tool close_issue; .*add_tool/);
  });

  test('an added tool passes the rules like every other tool', async () => {
    const { answers } = await played(
      [{ output: [call('c8', 'add_tool', { name: 'close_issue' })] }, { output: [call('c9', 'close_issue', {})] }, end],
      { rules: permissionsSchema.parse({ deny: ['close_*'] }) },
    );
    assert.deepEqual(ran, []);
    assert.equal(answers[1]?.[0], 'declined');
  });

  test('an unknown name and an added tool are reported', async () => {
    const { answers } = await played([
      { output: [call('c10', 'add_tool', { name: 'close_isue' })] },
      { output: [call('c11', 'add_tool', { name: 'shell' })] },
      end,
    ]);
    assert.match(answers[0]?.[1] ?? '', /there is no deferred tool close_isue; did you mean close_issue\?/);
    assert.match(answers[1]?.[1] ?? '', /shell is there already/);
  });

  test('a resumed session has the tools that were added to it', async () => {
    const { session } = await played([{ output: [call('c12', 'add_tool', { name: 'close_issue' })] }, end]);
    const { offered } = await played([end], { history: session.history });
    assert.deepEqual(offered, [['shell', 'search_tool', 'add_tool', 'close_issue']]);
  });
});

describe('toolset with "defer"', () => {
  test('defers all its tools, or those that are named', async (t) => {
    const { box } = await toolsOf(t, [
      { type: 'calculator', defer: true },
      { type: 'random', defer: ['random_uuid'] },
    ]);
    assert.deepEqual(
      box.tools.filter(({ deferred }) => deferred).map(({ name }) => name),
      ['calculate', 'random_uuid'],
    );
    assert.match(box.instructions, /search_tool/);
  });

  test('a server’s tool with the name of one of the two tools is refused', async (t) => {
    const script = { type: 'script', shell: { add_tool: { cmd: 'true' } } } as const;
    await assert.rejects(toolsOf(t, [script, { type: 'calculator', defer: true }]), {
      message: /add_tool is the tool that adds deferred ones/,
    });
    await toolsOf(t, [script, { type: 'calculator' }]);
  });
});
