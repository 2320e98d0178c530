import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { createSession, type SessionOptions } from '../../dist/agent/session.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import type { TurnClient } from '../../dist/agent/turn/turn.js';
import type { Agent } from '../../dist/config/agent.js';
import type { Model } from '../../dist/config/models/model.js';
import { agent } from './agent.js';
import { collect, failing, failure, model } from './failing-client.js';
import { call, say, scriptedClient } from './scripted-client.js';

describe('agent loop', () => {
  test('a turn that failed temporarily is tried again, and the event says that its partial answer does not count', async () => {
    const client = failing([failure('connection_lost')], [{ output: [say('Whole')] }]);
    const session = createSession({
      client,
      tools: [],
      approval: 'yolo',
      agent: { ...agent, fallback: { ...agent.fallback, retries: 1 } },
    });
    const seen = await collect(session.run('go'));
    const retried = seen.find((event) => event.type === 'turn_retried');
    assert.equal(retried?.type === 'turn_retried' && retried.partial, true);
    assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'completed' });
    assert.equal(session.history.length, 2);
  });

  test('after a permanent failure the next model is tried, and used until its cooldown is over', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 0 });
    const first = failing([failure('request_refused', { status: 401 })], [{ output: [say('again')] }]);
    const second = scriptedClient([{ output: [say('one')] }, { output: [say('two')] }]);
    const fallback = { models: [model('second')], retries: 2, cooldownMs: 60_000, retryRateLimits: false };
    const session = createSession({
      client: ({ name }) => (name === 'second' ? second : first),
      tools: [],
      approval: 'yolo',
      agent: { ...agent, fallback },
    });
    const seen = await collect(session.run('go'));
    assert.deepEqual(
      seen.flatMap((event) => (event.type === 'model_fallback' ? [[event.from, event.to]] : [])),
      [['scripted', 'second']],
    );
    await session.run('go').result();
    assert.equal(first.tries, 1);
    t.mock.timers.setTime(60_000);
    assert.equal((await session.run('go').result()).text, 'again');
  });

  test('429 goes to the next model at once, or waits as the server asks where the file says so', async () => {
    const limited = failure('request_refused', { status: 429, headers: { 'retry-after-ms': '3' } });
    for (const retryRateLimits of [false, true]) {
      const first = failing([limited], [{ output: [say('first')] }]);
      const second = scriptedClient([{ output: [say('second')] }]);
      const fallback = { models: [model('second')], retries: 2, cooldownMs: 0, retryRateLimits };
      const session = createSession({
        client: ({ name }) => (name === 'second' ? second : first),
        tools: [],
        approval: 'yolo',
        agent: { ...agent, fallback },
      });
      const seen = await collect(session.run('go'));
      assert.deepEqual(
        seen.flatMap((event) =>
          event.type === 'turn_retried' ? [String(event.wait_ms)] : event.type === 'model_fallback' ? [event.to] : [],
        ),
        [retryRateLimits ? '3' : 'second'],
      );
    }
  });

  test('calls that only read run at the same time, the others one by one; each is answered once', async () => {
    let open = 0;
    let most = 0;
    const gate = { release: (): void => undefined };
    const both = new Promise<void>((resolve) => (gate.release = resolve));
    const read = defineTool({
      name: 'read',
      description: 'Reads.',
      readOnly: true,
      input: z.object({}),
      async run() {
        open += 1;
        most = Math.max(most, open);
        if (open === 2) gate.release();
        await both;
        open -= 1;
        return 'read';
      },
    });
    const write = defineTool({
      name: 'write',
      description: 'Writes.',
      readOnly: false,
      input: z.object({}),
      run: () => Promise.resolve(`written while ${open} were open`),
    });
    const calls = [call('r1', 'read', {}), call('r2', 'read', {}), call('w', 'write', {})];
    const client = scriptedClient([{ output: calls }, { output: [say('end')] }]);
    const session = createSession({ client, agent, tools: [read, write], approval: 'yolo' });
    await session.run('go').result();
    assert.equal(most, 2);
    const outputs = session.history.flatMap((item) =>
      item.type === 'function_call_output' ? [[item.call_id, item.output]] : [],
    );
    assert.deepEqual(outputs, [
      ['r1', 'read'],
      ['r2', 'read'],
      ['w', 'written while 0 were open'],
    ]);
  });

  const team = (names: Partial<Record<'subAgents' | 'handoffs', readonly string[]>>): SessionOptions['team'] => {
    const helper: Agent = {
      ...agent,
      name: 'helper',
      model: model('helper'),
      instruction: 'You help.',
      ...names,
      subAgents: [],
      handoffs: [],
    };
    return new Map([['helper', { agent: helper, tools: [] }]]);
  };

  test('a task is done by another agent in a conversation of its own, and its answer is the result', async () => {
    const helper = scriptedClient([{ output: [say('42')] }]);
    const root = scriptedClient([
      { output: [call('t', 'transfer_task', { agent: 'helper', task: 'Find it.', expected_output: 'A number.' })] },
      { output: [say('It is 42.')] },
    ]);
    const session = createSession({
      client: ({ name }) => (name === 'helper' ? helper : root),
      agent: { ...agent, subAgents: ['helper'] },
      tools: [],
      team: team({}),
      approval: 'yolo',
    });
    const run = session.run('What is it?');
    const seen = await collect(run);
    assert.deepEqual(helper.asked[0]?.input, [
      { type: 'message', role: 'user', content: 'Find it.\n\nExpected output: A number.' },
    ]);
    assert.equal(helper.asked[0]?.instructions, 'You help.');
    assert.equal(helper.asked[0]?.tools, undefined);
    assert.deepEqual(
      seen.flatMap((event) => (event.type === 'agent_switching' ? [[event.from, event.to, event.reason]] : [])),
      [
        ['root', 'helper', 'transfer_task'],
        ['helper', 'root', 'return'],
      ],
    );
    const [answer] = session.history.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []));
    assert.equal(answer, '42');
    assert.equal(session.agent.name, 'root');
  });

  test('a task is noted before it begins, so that an interrupted task may have had effects', async () => {
    const kept: unknown[] = [];
    const helper = scriptedClient([{ output: [say('42')] }]);
    const root = scriptedClient([
      { output: [call('t', 'transfer_task', { agent: 'helper', task: 'Find it.' })] },
      { output: [call('h', 'handoff', { agent: 'helper' })] },
    ]);
    const session = createSession({
      client: ({ name }) => (name === 'helper' ? helper : root),
      agent: { ...agent, subAgents: ['helper'], handoffs: ['helper'] },
      tools: [],
      team: team({}),
      approval: 'yolo',
      keeper: { append: (entry) => entry.kind === 'begun' && kept.push(entry.call_id, helper.asked.length) },
    });
    await collect(session.run('What is it?'));
    assert.deepEqual(kept, ['t', 0]);
  });

  test('a conversation that is handed over goes on with the other agent, and stays there', async () => {
    const helper = scriptedClient([{ output: [say('Hello, I am the helper.')] }, { output: [say('Still me.')] }]);
    const root = scriptedClient([{ output: [call('h', 'handoff', { agent: 'helper' })] }]);
    const kept: unknown[] = [];
    const session = createSession({
      client: ({ name }) => (name === 'helper' ? helper : root),
      agent: { ...agent, handoffs: ['helper'] },
      tools: [],
      team: team({}),
      approval: 'yolo',
      keeper: { append: (entry) => kept.push(entry.kind) },
    });
    assert.equal((await session.run('Help!').result()).text, 'Hello, I am the helper.');
    assert.equal((await session.run('Who?').result()).text, 'Still me.');
    assert.equal(helper.asked[0]?.input?.length, 3);
    assert.equal(session.agent.name, 'helper');
    assert.ok(kept.includes('agent'));
  });

  test('the cost of turns is counted in dollars, cached tokens at their own price', async () => {
    const priced: Model = { ...agent.model, cost: { input: 2, output: 10, cacheRead: 0.5, cacheWrite: 2 } };
    const inner = scriptedClient([{ output: [say('Done.')] }]);
    const usage = {
      input_tokens: 1_000_000,
      output_tokens: 100_000,
      total_tokens: 1_100_000,
      input_tokens_details: { cached_tokens: 400_000 },
      output_tokens_details: { reasoning_tokens: 0 },
    };
    const client: TurnClient = {
      turn(params, options) {
        const turn = inner.turn(params, options);
        return {
          ...turn,
          [Symbol.asyncIterator]: () => turn[Symbol.asyncIterator](),
          response: async () => ({ ...(await turn.response()), usage }),
        };
      },
    };
    const session = createSession({ client, agent: { ...agent, model: priced }, tools: [], approval: 'yolo' });
    // 600,000 × $2 + 400,000 × $0.5 + 100,000 × $10, each for a million.
    assert.equal((await session.run('go').result()).cost, 2.4);
  });

  test('tool_choice: a tool that has to be called is called in the first turn on a prompt, none and auto hold for all', async () => {
    for (const [toolChoice, first, later] of [
      ['required', 'required', undefined],
      ['note', { type: 'function', name: 'note' }, undefined],
      ['none', 'none', 'none'],
      [undefined, undefined, undefined],
    ] as const) {
      const client = scriptedClient([
        { output: [call('c1', 'note', {})] },
        { output: [say('end')] },
        { output: [say('end')] },
      ]);
      const note = defineTool({
        name: 'note',
        description: 'Notes.',
        readOnly: true,
        input: z.object({}),
        run: () => Promise.resolve('noted'),
      });
      const session = createSession({ client, agent: { ...agent, toolChoice }, tools: [note], approval: 'yolo' });
      await session.run('go').result();
      await session.run('go on').result();
      assert.deepEqual(
        client.asked.map((params) => params['tool_choice']),
        [first, later, first],
      );
    }
  });
});
