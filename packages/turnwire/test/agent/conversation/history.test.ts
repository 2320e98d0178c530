import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Response } from '@turnwire/client';
import { z } from 'zod';
import { createSession } from '../../../dist/agent/session.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import type { TurnClient } from '../../../dist/agent/turn/turn.js';
import type { Model } from '../../../dist/config/models/model.js';
import { agent } from '../agent.js';
import { collect, failing, failure, types } from '../failing-client.js';
import { call, say, scriptedClient } from '../scripted-client.js';

describe('history that an agent sends', () => {
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
    test(`a summary that is ${status} ${status === 'completed' ? 'is' : 'is not'} put in place of the history; its usage is reported`, async () => {
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

  test('num_history_items sends the last items with the prompt, and every call with its answer', async () => {
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

  test('num_history_items sends the newest calls, even more than its number', async () => {
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
});
