// Tools and keys that act on the conversation they are used in: other agents, models, what ends later, and what a run may use up.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Response } from '@turnwire/client';
import { z } from 'zod';
import { AnswerCache } from '../../../dist/agent/answer-cache.js';
import { BackgroundTasks } from '../../../dist/agent/background-tasks.js';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession } from '../../../dist/agent/session.js';
import { backgroundAgentsToolset } from '../../../dist/agent/tools/session/background-agents.js';
import { modelPickerToolset } from '../../../dist/agent/tools/session/model-picker.js';
import { backgroundJobsToolset } from '../../../dist/agent/tools/commands/shell.js';
import { openWorkspace } from '../../../dist/agent/tools/files/workspace.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import { openSkills } from '../../../dist/agent/skills/skills-toolset.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient, type ScriptedTurn } from '../scripted-client.js';

type Client = ReturnType<typeof scriptedClient>;

const collect = async (run: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> => {
  const seen: AgentEvent[] = [];
  for await (const event of run) seen.push(event);
  return seen;
};
const responses = (seen: readonly AgentEvent[]): string[] =>
  seen.flatMap((event) => (event.type === 'tool_call_response' ? [event.response] : []));
const model = (name: string, more: Partial<typeof agent.model> = {}) => ({
  ...agent.model,
  name,
  model: name,
  ...more,
});

/** A client for each model, by its name. */
function clients(turns: Readonly<Record<string, ScriptedTurn[]>>) {
  const found = new Map<string, Client>(Object.entries(turns).map(([name, script]) => [name, scriptedClient(script)]));
  const clientFor = ({ name }: { name: string }): Client => {
    const client = found.get(name);
    assert.ok(client, `a turn of ${name}`);
    return client;
  };
  return { clientFor, asked: (name: string) => found.get(name)?.asked ?? [] };
}

/** A client whose turns use so much. */
function spending(turns: ScriptedTurn[], tokens: number): Client {
  const inner = scriptedClient(turns);
  const usage = { input_tokens: 0, output_tokens: tokens, total_tokens: tokens } as NonNullable<Response['usage']>;
  return {
    asked: inner.asked,
    turn(params, options) {
      const turn = inner.turn(params, options);
      return {
        report: turn.report,
        [Symbol.asyncIterator]: () => turn[Symbol.asyncIterator](),
        response: async () => ({ ...(await turn.response()), usage }),
      };
    },
  };
}

const nothing = defineTool({
  name: 'nothing',
  description: 'Nothing.',
  readOnly: true,
  input: z.object({}),
  run: () => Promise.resolve('nothing'),
});

describe('background agents', () => {
  const started = (work: Promise<string>) => {
    const tasks = new BackgroundTasks(() => {});
    return { tasks, id: tasks.start('helper', 'Look.', () => work) };
  };
  const never = new AbortController().signal;
  const waitFor = async (tasks: BackgroundTasks, ids: readonly string[], until = never) =>
    JSON.parse((await tasks.wait(ids, { signal: never, until })).answer) as unknown;

  test('are waited for together, whatever became of them', async () => {
    const { tasks, id: failing } = started(Promise.reject(new Error('no luck')));
    let finish = (_text: string) => {};
    const id = tasks.start('helper', 'More.', () => new Promise((resolve) => (finish = resolve)));
    const waiting = waitFor(tasks, [id, failing]);
    finish('Found it.');
    assert.deepEqual(await waiting, {
      all_done: true,
      tasks: [
        { task_id: id, status: 'completed', done: true, output: 'Found it.' },
        { task_id: failing, status: 'failed', done: true, error: 'no luck' },
      ],
    });
  });

  test('go on when the time to wait for them is over', async () => {
    const { tasks, id } = started(new Promise(() => {}));
    assert.deepEqual(await waitFor(tasks, [id], AbortSignal.abort()), {
      all_done: false,
      timed_out: true,
      tasks: [{ task_id: id, status: 'running', done: false }],
    });
    assert.match(tasks.view(id), /running/);
  });

  test('background tasks that are unknown are named, and the others are still waited for', async () => {
    const { tasks, id } = started(Promise.resolve('x'.repeat(5000)));
    const { answer, unknown } = await tasks.wait(['task_9', id], { signal: never, until: never });
    assert.equal(unknown, true);
    assert.deepEqual(JSON.parse(answer), {
      all_done: false,
      tasks: [
        { task_id: 'task_9', status: 'not_found', done: false },
        { task_id: id, status: 'completed', done: true, output: 'x'.repeat(4096), truncated: true },
      ],
    });
  });

  test('are left as they are when the wait is interrupted', async () => {
    const { tasks, id } = started(new Promise(() => {}));
    const signal = AbortSignal.abort(new Error('interrupted'));
    await assert.rejects(tasks.wait([id], { signal, until: never }), /interrupted/);
    assert.match(tasks.view(id), /running/);
  });

  test('work while the agent that gave the task goes on, and are viewed by their ids', async () => {
    const helper = { ...agent, name: 'helper', model: model('helper') };
    const root = { ...agent, model: model('root'), subAgents: ['helper'] };
    const { clientFor } = clients({
      helper: [{ output: [say('Found it.')] }],
      root: [
        { output: [call('1', 'run_background_agent', { agent: 'helper', task: 'Look.' })] },
        { output: [call('2', 'list_background_agents', {})] },
        { output: [call('3', 'view_background_agent', { task_id: 'task_1' })] },
        { output: [call('4', 'stop_background_agent', { task_id: 'task_1' })] },
        { output: [call('5', 'view_background_agent', { task_id: 'task_9' })] },
        { output: [call('6', 'wait_background_agents', { task_ids: ['task_1'] })] },
        { output: [call('7', 'wait_background_agents', { task_ids: ['task_1', 'task_1'] })] },
        { output: [say('Done.')] },
      ],
    });
    const session = createSession({
      client: clientFor,
      agent: root,
      tools: backgroundAgentsToolset(['helper']).tools,
      team: new Map([['helper', { agent: helper, tools: [] }]]),
      approval: 'yolo',
    });
    const said = responses(await collect(session.run('Go.')));
    assert.equal(said[0], 'Started task_1.');
    assert.match(said[1] ?? '', /^task_1 of helper, (?:running|done), \d+ s: Look\.$/);
    assert.match(said[2] ?? '', /^task_1 of helper, done, 0 s\nFound it\.$/);
    assert.match(said[3] ?? '', /^task_1 of helper, done/);
    assert.match(said[4] ?? '', /there is no task task_9/);
    assert.match(said[5] ?? '', /^\{"all_done":true,"tasks":\[\{"task_id":"task_1","status":"completed","done":true,/);
    assert.match(said[6] ?? '', /task_ids: name each task once/);
    await session.close();
  });

  test('end with the session', async () => {
    let aborted = false;
    const waiting = defineTool({
      name: 'wait',
      description: 'Waits.',
      readOnly: true,
      input: z.object({}),
      run: (_given, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('over'));
          });
        }),
    });
    const helper = { ...agent, name: 'helper', model: model('helper') };
    const { clientFor } = clients({
      helper: [{ output: [call('1', 'wait', {})] }],
      root: [
        { output: [call('1', 'run_background_agent', { agent: 'helper', task: 'x' })] },
        { output: [say('Bye.')] },
      ],
    });
    const session = createSession({
      client: clientFor,
      agent: { ...agent, model: model('root'), subAgents: ['helper'] },
      tools: backgroundAgentsToolset(['helper']).tools,
      team: new Map([['helper', { agent: helper, tools: [waiting] }]]),
      approval: 'yolo',
    });
    await collect(session.run('Go.'));
    await session.close();
    assert.equal(aborted, true);
  });
});

describe('the model of a turn', () => {
  test('model_picker changes it, and gives it back', async () => {
    const [a, b] = [model('a'), model('b')];
    const links = { model: undefined, choices: new Map([['b', b]]) };
    const { clientFor, asked } = clients({
      a: [{ output: [call('1', 'change_model', { model: 'b' })] }, { output: [say('Back.')] }],
      b: [{ output: [call('2', 'revert_model', {})] }],
    });
    const { tools } = modelPickerToolset({ type: 'model_picker', models: ['b'], links });
    await collect(
      createSession({ client: clientFor, agent: { ...agent, model: a }, tools, approval: 'yolo' }).run('Go.'),
    );
    assert.deepEqual([asked('a').length, asked('b').length], [2, 1]);
  });

  test('the model of a toolset reads its results, and takes no other turn', async () => {
    const [a, b] = [model('a'), model('b')];
    const { clientFor, asked } = clients({
      a: [{ output: [call('1', 'nothing', {})] }, { output: [say('Done.')] }],
      b: [{ output: [call('2', 'nothing_more', {})] }],
    });
    const tools = [
      { ...nothing, readBy: b },
      { ...nothing, name: 'nothing_more' },
    ];
    await collect(
      createSession({ client: clientFor, agent: { ...agent, model: a }, tools, approval: 'yolo' }).run('Go.'),
    );
    assert.deepEqual([asked('a').length, asked('b').length], [2, 1]);
  });

  test('title_model gives the session a title, once', async () => {
    const title = model('title');
    const main = model('main', { links: { ...agent.model.links, title } });
    const { clientFor } = clients({
      main: [{ output: [say('One.')] }, { output: [say('Two.')] }],
      title: [{ output: [say('"A short title."')] }],
    });
    const session = createSession({ client: clientFor, agent: { ...agent, model: main }, tools: [], approval: 'yolo' });
    const seen = await collect(session.run('Go.'));
    assert.ok(seen.some((event) => event.type === 'session_title' && event.title === 'A short title'));
    await collect(session.run('And?'));
    assert.equal(session.title, 'A short title');
  });

  test('compaction_model writes summaries, and the agent’s model takes the turns', async () => {
    const small = model('small');
    const main = model('main', { contextSize: 1000, links: { ...agent.model.links, compaction: small } });
    const big = { ...nothing, run: () => Promise.resolve('y'.repeat(3000)) };
    const { clientFor, asked } = clients({
      main: [{ output: [call('1', 'nothing', {})] }, { output: [say('Done.')] }],
      small: [{ output: [say('Summed up.')] }],
    });
    const one = { ...agent, model: main, compactionThreshold: 0.5 };
    const seen = await collect(
      createSession({ client: clientFor, agent: one, tools: [big], approval: 'yolo' }).run('Go.'),
    );
    assert.ok(seen.some(({ type }) => type === 'session_compaction'));
    assert.equal(asked('small').length, 1);
  });

  test('session_compaction: false leaves the history unchanged; compact() still sums it up', async () => {
    const main = model('main', { contextSize: 1000 });
    const big = { ...nothing, run: () => Promise.resolve('y'.repeat(3000)) };
    const { clientFor } = clients({
      main: [{ output: [call('1', 'nothing', {})] }, { output: [say('Done.')] }, { output: [say('Summed up.')] }],
    });
    const one = { ...agent, model: main, compactionThreshold: 0.5, sessionCompaction: false };
    const session = createSession({ client: clientFor, agent: one, tools: [big], approval: 'yolo' });
    const seen = await collect(session.run('Go.'));
    assert.ok(!seen.some(({ type }) => type === 'session_compaction'));
    const steps: AgentEvent[] = [];
    for (let step = await session.compact().next(); !step.done; step = { done: true, value: true })
      steps.push(step.value);
    assert.equal(steps[0]?.type, 'session_compaction');
    assert.match(JSON.stringify(session.history), /Summed up\./);
  });
});

describe('conversations after an answer', () => {
  test('force_handoff: the other agent goes on with the whole history', async () => {
    const second = { ...agent, name: 'second', model: model('second') };
    const { clientFor, asked } = clients({
      first: [{ output: [say('Facts.')] }],
      second: [{ output: [say('In short.')] }],
    });
    const session = createSession({
      client: clientFor,
      agent: { ...agent, model: model('first'), forceHandoff: 'second' },
      tools: [],
      team: new Map([['second', { agent: second, tools: [] }]]),
      approval: 'yolo',
    });
    const seen = await collect(session.run('Go.'));
    assert.ok(seen.some((event) => event.type === 'agent_switching' && event.to === 'second'));
    assert.match(JSON.stringify(asked('second')[0]?.input), /Go\..*Facts\./);
    assert.equal(session.agent.name, 'second');
  });

  test('recall: the run waits for a command in the background, and the agent is told of its end', async (t) => {
    const toolset = backgroundJobsToolset(
      { workspace: openWorkspace(await scratch(t)), env: { PATH: process.env['PATH'] } },
      true,
    );
    t.after(() => toolset.close?.());
    const client = scriptedClient([
      { output: [call('1', 'run_background_job', { cmd: 'echo built', recall: true })] },
      { output: [say('I wait.')] },
      { output: [say('It is built.')] },
    ]);
    const session = createSession({ client, agent, tools: toolset.tools, approval: 'yolo' });
    const seen = await collect(session.run('Build.'));
    assert.ok(seen.some((event) => event.type === 'recalled' && /built[^]*exit code 0/.test(event.message)));
    assert.match(JSON.stringify(client.asked[2]?.input), /The command in the background has ended/);
  });

  test('a repeated question gets the earlier answer, also from the file', async (t) => {
    const file = join(await scratch(t), 'answers.json');
    const settings = { caseSensitive: false, trimSpaces: true, path: file };
    const ask = async (question: string, turns: ScriptedTurn[]): Promise<string> => {
      const answers = new Map([[agent.name, new AnswerCache(settings, file)]]);
      const run = createSession({ client: scriptedClient(turns), agent, tools: [], approval: 'yolo', answers }).run(
        question,
      );
      return (await run.result()).text;
    };
    assert.equal(await ask('How many?', [{ output: [say('Three.')] }]), 'Three.');
    assert.equal(await ask('  how MANY? ', []), 'Three.');
    assert.equal(await ask('How few?', [{ output: [say('Two.')] }]), 'Two.');
    assert.doesNotMatch(await readFile(file, 'utf8'), /How/i);
  });
});

describe('limits of a run', () => {
  const twice: ScriptedTurn[] = [{ output: [call('1', 'nothing', {})] }, { output: [say('Done.')] }];
  const failure = async (session: ReturnType<typeof createSession>): Promise<string> => {
    const seen = await collect(session.run('Go.')).catch((error: Error) => error.message);
    return typeof seen === 'string' ? seen : 'it ended well';
  };
  const budget = { path: 'budget', maxCost: undefined, maxTokens: 15, maxMs: undefined };

  test('a budget ends the run between turns, and names the limit', async () => {
    const session = createSession({ client: spending(twice, 20), agent, tools: [nothing], approval: 'yolo', budget });
    assert.match(await failure(session), /budget\.max_tokens is used up: 20 of 15 tokens/);
  });

  test('a budget counts for a session, including the use of earlier runs', async () => {
    const options = { agent, tools: [nothing], approval: 'yolo' as const, budget };
    const client = spending([{ output: [say('One.')] }, { output: [say('Two.')] }], 10);
    const session = createSession({ client, ...options });
    assert.equal(await failure(session), 'it ended well');
    assert.equal(await failure(session), 'it ended well');
    assert.match(await failure(session), /20 of 15 tokens/);
    const later = createSession({ client: spending(twice, 1), ...options, used: { tokens: 15, cost: 0 } });
    assert.match(await failure(later), /15 of 15 tokens/);
  });

  test('agents that name one budget share it, and a task that exceeds it ends the run that gave it', async () => {
    const shared = { ...budget, path: 'budgets.search' };
    const helper = { ...agent, name: 'helper', budgets: [shared] };
    const root = { ...agent, subAgents: ['helper'], budgets: [shared] };
    const client = spending([{ output: [call('1', 'transfer_task', { agent: 'helper', task: 'x' })] }, ...twice], 8);
    const team = new Map([['helper', { agent: helper, tools: [nothing] }]]);
    const session = createSession({ client, agent: root, tools: [], team, approval: 'yolo' });
    assert.match(await failure(session), /budgets\.search\.max_tokens is used up: 16 of 15/);
  });

  test('task_budget counts the output tokens of a model anew for each prompt', async () => {
    const one = { ...agent, model: model('m', { taskBudget: 15 }) };
    const client = spending([...twice, ...twice], 10);
    const session = createSession({ client, agent: one, tools: [nothing], approval: 'yolo' });
    assert.equal(await failure(session), 'it ended well');
    const strict = { ...one, model: model('m', { taskBudget: 9 }) };
    const other = createSession({ client: spending(twice, 10), agent: strict, tools: [nothing], approval: 'yolo' });
    assert.match(await failure(other), /task_budget of m is used up: 10 of 9 tokens/);
  });

  test('the model gets the beginning and the end of a long result', async () => {
    const long = { ...nothing, run: () => Promise.resolve(`begin${'x'.repeat(5000)}end`) };
    const client = scriptedClient(twice);
    const session = createSession({
      client,
      agent: { ...agent, maxToolResultTokens: 100 },
      tools: [long],
      approval: 'yolo',
    });
    const [said = ''] = responses(await collect(session.run('Go.')));
    assert.match(said, /^begin[^]*cut: [^]*end$/);
    assert.ok(said.length < 600);
  });
});

describe('tools of a conversation', () => {
  test('undo removes the last prompt and everything after it', async () => {
    const client = scriptedClient([
      { output: [say('One.')] },
      { output: [call('1', 'nothing', {})] },
      { output: [say('Two.')] },
    ]);
    const session = createSession({ client, agent, tools: [nothing], approval: 'yolo' });
    await collect(session.run('First.'));
    await collect(session.run('Second.'));
    assert.equal(session.undo(), 'Second.');
    assert.match(JSON.stringify(session.history.at(-1)), /One\./);
    assert.equal(session.undo(), 'First.');
    assert.equal(session.undo(), undefined);
  });

  test('a prompt is sent with its attachments', async () => {
    const client = scriptedClient([{ output: [say('A dot.')] }]);
    const image = { type: 'input_image' as const, image_url: 'data:image/png;base64,AAAA' };
    await collect(
      createSession({ client, agent, tools: [], approval: 'yolo' }).run('What is it?', { attached: [image] }),
    );
    assert.deepEqual(client.asked[0]?.input, [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is it?' }, image] },
    ]);
  });

  test('a skill with context: fork is followed in a conversation of its own, by its model', async (t) => {
    const { clientFor, asked } = clients({
      root: [{ output: [call('1', 'run_skill', { name: 'triage', task: 'It crashes.' })] }, { output: [say('Done.')] }],
      small: [{ output: [say('A null.')] }],
    });
    const inline = [
      {
        name: 'triage',
        description: 'd',
        instructions: 'Name the cause.',
        fork: true,
        model: model('small'),
        allowedTools: [],
      },
    ];
    const opened = await openSkills(
      { found: false, names: undefined, inline, addresses: [] },
      { directory: await scratch(t), home: undefined, warn: assert.fail },
    );
    const session = createSession({
      client: clientFor,
      agent: { ...agent, model: model('root') },
      tools: opened.tools,
      approval: 'yolo',
    });
    assert.deepEqual(responses(await collect(session.run('Go.'))), ['A null.']);
    assert.equal(asked('small')[0]?.instructions, 'Name the cause.');
    assert.deepEqual(asked('small')[0]?.input, [{ type: 'message', role: 'user', content: 'It crashes.' }]);
  });
});
