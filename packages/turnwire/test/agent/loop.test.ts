import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Response, TurnwireError } from '@turnwire/client';
import { z } from 'zod';
import type { AgentEvent } from '../../dist/agent/events.js';
import { createSession, type SessionOptions } from '../../dist/agent/session.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import type { TurnClient } from '../../dist/agent/turn/turn.js';
import type { Agent } from '../../dist/config/agent.js';
import type { Model } from '../../dist/config/models/model.js';
import { agent } from './agent.js';
import { call, say, scriptedClient, type ScriptedTurn } from './scripted-client.js';

async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
  } catch {
    // The events say it.
  }
  return seen;
}

const types = (events: readonly AgentEvent[]): string[] => events.map(({ type }) => type);

const failure = (
  code: TurnwireError['code'],
  server: Partial<NonNullable<TurnwireError['server']>> = {},
): TurnwireError =>
  new TurnwireError(code, `it failed by ${code}`, {
    server: {
      status: undefined,
      code: undefined,
      type: undefined,
      message: 'no',
      param: undefined,
      headers: {},
      raw: {},
      ...server,
    },
  });

/** A client that fails so many times before each answer. */
function failing(errors: readonly Error[], turns: ScriptedTurn[]): TurnClient & { tries: number } {
  const inner = scriptedClient(turns);
  const client = {
    tries: 0,
    turn(params: Parameters<TurnClient['turn']>[0], options: { signal: AbortSignal }) {
      const error = errors[client.tries];
      client.tries += 1;
      if (error === undefined) return inner.turn(params, options);
      return {
        async *[Symbol.asyncIterator]() {
          yield { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Half' } as never;
          throw error;
        },
        response: () => Promise.reject<Response>(error),
        report: {} as never,
      };
    },
  };
  return client;
}

const model = (name: string): Model => ({ ...agent.model, name, model: name });

describe('agent loop', () => {
  test('a failure that may pass is tried again, and what had been told is said not to count', async () => {
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

  test('a failure that stays is not tried again; the next model is, and it is kept until its time is over', async (t) => {
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

  test('a task is noted before it begins: what was done in it is not said to have been not done', async () => {
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

  test('a history that is too long is summed up once, and the turn is taken again', async () => {
    const overflow = failure('request_refused', { status: 400, code: 'context_length_exceeded' });
    const turns = [{ output: [say('The summary.')] }, { output: [say('Done.')] }];
    const client = failing([overflow], turns);
    const inner: unknown[] = [];
    const history = Array.from({ length: 20 }, (_, index) => ({
      type: 'message' as const,
      role: 'user' as const,
      content: `${index} ${'x'.repeat(400)}`,
    }));
    const session = createSession({
      client: { turn: (params, options) => (inner.push(structuredClone(params)), client.turn(params, options)) },
      agent,
      tools: [],
      approval: 'yolo',
      history,
    });
    const seen = await collect(session.run('The last prompt.'));
    assert.ok(types(seen).includes('session_compaction'));
    assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'completed' });
    const [, summing, again] = inner as { input: { content: string }[]; tools?: unknown }[];
    assert.match(summing?.input[0]?.content ?? '', /^Sum up this conversation/);
    assert.match(again?.input[0]?.content ?? '', /The summary\.$/);
    assert.equal(again?.input.at(-1)?.content, 'The last prompt.');
    assert.ok(session.history.length < 10);
    assert.equal(client.tries, 3);
  });

  test('a history near the limit of its model is summed up before it overflows, with every call beside its answer', async () => {
    const small: Model = { ...agent.model, contextSize: 1000, compactionThreshold: 0.5 };
    const big = defineTool({
      name: 'big',
      description: 'Big.',
      readOnly: true,
      input: z.object({}),
      run: () => Promise.resolve('y'.repeat(3000)),
    });
    const client = scriptedClient([
      { output: [call('1', 'big', {})] },
      { output: [say('Summed up.')] },
      { output: [say('Done.')] },
    ]);
    const session = createSession({ client, agent: { ...agent, model: small }, tools: [big], approval: 'yolo' });
    const seen = await collect(session.run('Do it.'));
    assert.ok(types(seen).includes('session_compaction'));
    const calls = session.history.filter((item) => item.type === 'function_call').length;
    assert.equal(calls, session.history.filter((item) => item.type === 'function_call_output').length);
    assert.match(JSON.stringify(client.asked[2]?.input), /Summed up\..*Do it\./);
  });

  for (const status of ['completed', 'incomplete'] as const) {
    test(`a summary that is ${status} ${status === 'completed' ? 'is' : 'is not'} put in place of the history; what it used is told`, async () => {
      const overflow = failure('request_refused', { status: 400, code: 'context_length_exceeded' });
      const inner = failing([overflow], [{ output: [say('The summary.')] }, { output: [say('Done.')] }]);
      const usage = { input_tokens: 7, output_tokens: 3, total_tokens: 10 } as NonNullable<Response['usage']>;
      const client: TurnClient = {
        turn(params, options) {
          const turn = inner.turn(params, options);
          const summing = inner.tries === 2;
          return {
            report: turn.report,
            [Symbol.asyncIterator]: () => turn[Symbol.asyncIterator](),
            response: async () => ({ ...(await turn.response()), ...(summing ? { status, usage } : {}) }),
          };
        },
      };
      const history = Array.from({ length: 20 }, (_, index) => ({
        type: 'message' as const,
        role: 'user' as const,
        content: `${index} ${'x'.repeat(400)}`,
      }));
      const session = createSession({ client, agent, tools: [], approval: 'yolo', history });
      const seen = await collect(session.run('The last prompt.'));
      assert.equal(types(seen).includes('session_compaction'), status === 'completed');
      assert.equal(session.history.length > 20, status === 'incomplete');
      const used = seen.flatMap((event) => (event.type === 'token_usage' ? [event.usage.input_tokens] : []));
      assert.deepEqual(used, [7]);
    });
  }

  test('num_history_items sends the last items, with the prompt and without torn pairs', async () => {
    const note = defineTool({
      name: 'note',
      description: 'Notes.',
      readOnly: true,
      input: z.object({ n: z.number() }),
      run: ({ n }) => Promise.resolve(`noted ${n}`),
    });
    const turns = [1, 2, 3].map((n) => ({ output: [call(String(n), 'note', { n })] }));
    const client = scriptedClient([...turns, { output: [say('Done.')] }]);
    const session = createSession({ client, agent: { ...agent, numHistoryItems: 3 }, tools: [note], approval: 'yolo' });
    await session.run('Count.').result();
    const last = client.asked.at(-1)?.input as { content?: string; call_id?: string; type: string }[];
    assert.deepEqual(
      last.map(({ content, call_id: id, type }) => content ?? `${type} ${id}`),
      ['Count.', 'function_call 3', 'function_call_output 3'],
    );
  });

  test('num_history_items never leaves out the newest calls, not even where they are more', async () => {
    const note = defineTool({
      name: 'note',
      description: 'Notes.',
      readOnly: false,
      input: z.object({ n: z.number() }),
      run: ({ n }) => Promise.resolve(`noted ${n}`),
    });
    const both = [call('2', 'note', { n: 2 }), call('3', 'note', { n: 3 })];
    const client = scriptedClient([
      { output: [call('1', 'note', { n: 1 })] },
      { output: both },
      { output: [say('Done.')] },
    ]);
    const session = createSession({ client, agent: { ...agent, numHistoryItems: 3 }, tools: [note], approval: 'yolo' });
    await session.run('Count.').result();
    const last = client.asked.at(-1)?.input as { content?: string; call_id?: string; type: string }[];
    assert.deepEqual(
      last.map(({ content, call_id: id, type }) => content ?? `${type} ${id}`),
      ['Count.', 'function_call 2', 'function_call 3', 'function_call_output 2', 'function_call_output 3'],
    );
  });

  test('what turns cost is counted in dollars, by what was cached', async () => {
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
