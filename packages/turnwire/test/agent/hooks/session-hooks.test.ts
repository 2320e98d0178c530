import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { InputItem } from '@turnwire/client';
import { z } from 'zod';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession } from '../../../dist/agent/session.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import type { Agent } from '../../../dist/config/agent.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient, type ScriptedTurn } from '../scripted-client.js';

const skip = process.platform === 'win32' ? 'POSIX shell' : false;
const log = { type: 'command', command: 'cat >> log.jsonl; echo >> log.jsonl' };
const answering = (answer: object) => ({
  type: 'command',
  command: `cat > /dev/null; echo '${JSON.stringify(answer)}'`,
});

interface Setting {
  hooks: object;
  turns: ScriptedTurn[];
  more?: Partial<Agent>;
  /** Hooks of an agent `helper`, which gets tasks and the conversation. */
  helper?: object;
  askUser?: (question: string) => Promise<string | undefined>;
}

const text = (content: string): InputItem => ({ type: 'message', role: 'user', content });
const big = defineTool({
  name: 'big',
  description: 'Big.',
  readOnly: true,
  input: z.object({}),
  run: () => Promise.resolve('y'.repeat(3000)),
});

async function sessionOf(t: TestContext, { hooks, turns, more = {}, helper, askUser }: Setting) {
  const directory = await scratch(t);
  const client = scriptedClient(turns);
  const first: Agent = { ...agent, ...more, hooks: hooksSchema.parse(hooks) };
  const second: Agent = { ...agent, name: 'helper', hooks: hooksSchema.parse(helper ?? {}) };
  const session = createSession({
    client,
    agent: first,
    tools: [big],
    team: new Map([['helper', { agent: second, tools: [] }]]),
    approval: 'yolo',
    askUser,
    hooksIn: { directory, env: { PATH: process.env['PATH'] } },
    id: 'the-session',
  });
  const told = async () =>
    (await readFile(join(directory, 'log.jsonl'), 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { session, client, told };
}

async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
  } catch {
    // The events say it.
  }
  return seen;
}

describe('hooks around a compaction', { skip }, () => {
  const small = { model: { ...agent.model, contextSize: 1000, compactionThreshold: 0.5 } };
  const turns = [{ output: [call('1', 'big', {})] }, { output: [say('Summed up.')] }, { output: [say('Done.')] }];

  test('are told its reason, can say what to keep, and are told of its end', async (t) => {
    const wish = answering({ hook_specific_output: { additional_context: 'Keep the names.' } });
    const hooks = { pre_compact: [log, wish], before_compaction: log, after_compaction: log };
    const { session, client, told } = await sessionOf(t, { hooks, turns, more: small });
    await collect(session.run('Do it.'));
    const [pre, before, after] = await told();
    assert.equal(pre?.['source'], 'auto');
    assert.deepEqual([before?.['compaction_reason'], before?.['context_limit']], ['threshold', 1000]);
    assert.equal(after?.['summary'], 'Summed up.');
    assert.match(String(client.asked[1]?.instructions), /\n\nKeep the names\.$/);
  });

  test('can bring the summary, so that the model is not asked', async (t) => {
    const hooks = { before_compaction: answering({ hook_specific_output: { summary: 'What a hook says.' } }) };
    const two = turns.filter((_, index) => index !== 1);
    const { session, client } = await sessionOf(t, { hooks, turns: two, more: small });
    assert.deepEqual((await collect(session.run('Do it.'))).at(-1), { type: 'stream_stopped', reason: 'completed' });
    assert.match(JSON.stringify(client.asked[1]?.input), /What a hook says\./);
  });

  for (const point of ['pre_compact', 'before_compaction']) {
    test(`refuse at ${point}: the history stays unchanged, with a warning`, async (t) => {
      const two = turns.filter((_, index) => index !== 1);
      const hooks = { [point]: { type: 'command', command: 'echo mine >&2; exit 2', name: 'keeper' } };
      const { session } = await sessionOf(t, { hooks, turns: two, more: small });
      const seen = await collect(session.run('Do it.'));
      assert.ok(!seen.some(({ type }) => type === 'session_compaction'));
      assert.deepEqual(
        seen.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
        ['the hook keeper kept the conversation from being summed up: mine'],
      );
    });
  }
});

describe('hooks of a run that comes to its limit', { skip }, () => {
  const hooks = { on_max_iterations: log, on_session_resume: log };
  const turns = [{ output: [call('1', 'big', {})] }, { output: [call('2', 'big', {})] }, { output: [say('Done.')] }];
  const more = { maxIterations: 1 };
  const asking = (answer: string | undefined) => {
    const asked: string[] = [];
    const askUser = (question: string): Promise<string | undefined> => {
      asked.push(question);
      return Promise.resolve(answer);
    };
    return { asked, askUser };
  };

  test('are told both limits, when a yes of the user lets the run go on for ten turns', async (t) => {
    const { asked, askUser } = asking('y');
    const { session, told } = await sessionOf(t, { hooks, turns, more, askUser });
    assert.deepEqual((await collect(session.run('Go.'))).at(-1), { type: 'stream_stopped', reason: 'completed' });
    assert.deepEqual(asked, [
      'root is not done after 1 turn, which is its "max_iterations". Go on for 10 more? [y]es or [n]o',
    ]);
    const [limit, resumed, ...rest] = await told();
    assert.deepEqual(rest, []);
    assert.equal(limit?.['hook_event_name'], 'on_max_iterations');
    assert.deepEqual(
      ['hook_event_name', 'previous_max_iterations', 'new_max_iterations'].map((key) => resumed?.[key]),
      ['on_session_resume', 1, 11],
    );
  });

  for (const answer of ['n', '', undefined]) {
    test(`${JSON.stringify(answer)} ends it`, async (t) => {
      const { session, told } = await sessionOf(t, { hooks, turns, more, askUser: asking(answer).askUser });
      assert.deepEqual((await collect(session.run('Go.'))).at(-1), { type: 'stream_stopped', reason: 'max_turns' });
      assert.deepEqual(
        (await told()).map((each) => each['hook_event_name']),
        ['on_max_iterations'],
      );
    });
  }
});

describe('hooks of a team', { skip }, () => {
  test('a task: the hooks of the giver see its beginning and its end, those of the other agent the return', async (t) => {
    const { session, told } = await sessionOf(t, {
      hooks: { on_agent_switch: log, subagent_stop: log },
      helper: { on_agent_switch: log, turn_end: log, stop: log },
      more: { subAgents: ['helper'] },
      turns: [
        { output: [call('t', 'transfer_task', { agent: 'helper', task: 'Find it.' })] },
        { output: [say('42')] },
        { output: [say('Done.')] },
      ],
    });
    await collect(session.run('Go.'));
    const [away, turn, stopped, back, ...more] = await told();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [away?.['from_agent'], away?.['to_agent'], away?.['agent_switch_kind']],
      ['root', 'helper', 'transfer_task'],
    );
    const inner = turn?.['session_id'];
    assert.notEqual(inner, 'the-session');
    assert.deepEqual([turn?.['agent_name'], turn?.['reason']], ['helper', 'normal']);
    assert.deepEqual(
      ['hook_event_name', 'agent_name', 'session_id', 'parent_session_id', 'stop_response'].map(
        (key) => stopped?.[key],
      ),
      ['subagent_stop', 'helper', inner, 'the-session', '42'],
    );
    assert.deepEqual([back?.['session_id'], back?.['agent_switch_kind']], [inner, 'transfer_task_return']);
  });

  test('a handoff: the hooks of the former agent see it, and the end of its turn', async (t) => {
    const { session, told } = await sessionOf(t, {
      hooks: { on_agent_switch: log, turn_end: log },
      more: { handoffs: ['helper'] },
      turns: [{ output: [call('h', 'handoff', { agent: 'helper' })] }, { output: [say('Mine.')] }],
    });
    await collect(session.run('Go.'));
    const found = await told();
    assert.deepEqual(
      found.map((each) => [each['hook_event_name'], each['agent_name'], each['agent_switch_kind'] ?? each['reason']]),
      [
        ['turn_end', 'root', 'continue'],
        ['on_agent_switch', 'root', 'handoff'],
      ],
    );
  });
});

describe('hooks of input during a run', { skip }, () => {
  const turns = [{ output: [call('1', 'big', {})] }, { output: [say('Done.')] }];

  test('see it before the model does, and may add context', async (t) => {
    const hint = answering({ hook_specific_output: { additional_context: 'a hint' } });
    const hooks = { user_steering_messages_submit: [log, hint] };
    const { session, client, told } = await sessionOf(t, { hooks, turns });
    for await (const event of session.run('Go.')) if (event.type === 'tool_call') await session.say('and quickly');
    assert.deepEqual((await told())[0]?.['steering_messages'], ['and quickly']);
    assert.deepEqual(client.asked[1]?.input?.slice(-2), [
      text('and quickly'),
      { type: 'message', role: 'developer', content: 'a hint' },
    ]);
  });

  test('refuse: the run ends, and the input is neither sent nor stored', async (t) => {
    const hooks = { user_steering_messages_submit: { type: 'command', command: 'exit 2' } };
    const { session, client } = await sessionOf(t, { hooks, turns });
    const seen: AgentEvent[] = [];
    await assert.rejects(async () => {
      for await (const event of session.run('Go.')) {
        seen.push(event);
        if (event.type === 'tool_call') await session.say('the secret');
      }
    }, /ended the run/);
    assert.equal(client.asked.length, 1);
    assert.doesNotMatch(JSON.stringify(session.history), /the secret/);
  });

  test('user_followup_submit runs for input that came too late for the last run', async (t) => {
    const hooks = { user_followup_submit: log, user_prompt_submit: log };
    const { session, told } = await sessionOf(t, {
      hooks,
      turns: [{ output: [say('One.')] }, { output: [say('Two.')] }],
    });
    await collect(session.run('first'));
    await collect(session.run('second', { followUp: true }));
    assert.deepEqual(
      (await told()).map((each) => [each['hook_event_name'], each['prompt']]),
      [
        ['user_prompt_submit', 'first'],
        ['user_followup_submit', 'second'],
      ],
    );
  });

  test('a prompt that was refused is not in the next one’s history', async (t) => {
    const hooks = { user_prompt_submit: { type: 'command', command: 'grep -q secret && exit 2; exit 0' } };
    const { session, client } = await sessionOf(t, { hooks, turns: [{ output: [say('Fine.')] }] });
    await collect(session.run('the secret'));
    await collect(session.run('hello'));
    assert.deepEqual(
      client.asked.map(({ input }) => input),
      [[text('hello')]],
    );
  });
});

describe('hooks of turn_end', { skip }, () => {
  test('run when the reader leaves, and when the model repeats a call', async (t) => {
    const hooks = { turn_end: log };
    const endless = Array.from({ length: 9 }, (_, index) => ({ output: [call(String(index), 'big', {})] }));
    const left = await sessionOf(t, { hooks, turns: endless });
    for await (const event of left.session.run('Go.')) if (event.type === 'tool_call') break;
    assert.deepEqual(
      (await left.told()).map(({ reason }) => reason),
      ['canceled'],
    );
    const circling = await sessionOf(t, { hooks, turns: endless });
    await collect(circling.session.run('Go.'));
    assert.equal((await circling.told()).at(-1)?.['reason'], 'loop_detected');
  });
});

describe('hooks around a session', () => {
  test('hooks that cannot run: every guard of a call blocks the call', async () => {
    for (const point of ['tool_input_transform', 'pre_tool_use', 'tool_guard']) {
      const guarded = {
        ...agent,
        hooks: hooksSchema.parse({ [point]: { hooks: { type: 'command', command: 'true' } } }),
      };
      const client = scriptedClient([{ output: [call('1', 'big', {})] }, { output: [say('Done.')] }]);
      const session = createSession({ client, agent: guarded, tools: [big], approval: 'yolo' });
      const seen = await collect(session.run('Go.'));
      const answered = seen.find(({ type }) => type === 'tool_call_response');
      assert.equal(answered?.type === 'tool_call_response' ? answered.outcome : undefined, 'declined', point);
    }
  });
});
