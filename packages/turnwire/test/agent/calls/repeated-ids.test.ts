import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InputItem, Item } from '@turnwire/client';
import { z } from 'zod';
import { createSession, type Session } from '../../../dist/agent/session.js';
import { openCalls } from '../../../dist/agent/conversation/pairing.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import { agent } from '../agent.js';
import { call, say, scriptedClient } from '../scripted-client.js';

/** A session whose model makes these calls, a turn each, and what its tool was run with. */
function calling({ turns, readOnly, history }: { turns: Item[][]; readOnly: boolean; history?: InputItem[] }): {
  session: Session;
  ran: number[];
  client: ReturnType<typeof scriptedClient>;
} {
  const ran: number[] = [];
  const note = defineTool({
    name: 'note',
    description: 'Notes.',
    readOnly,
    input: z.object({ n: z.number() }),
    run: ({ n }) => {
      ran.push(n);
      return Promise.resolve(`noted ${n}`);
    },
  });
  const client = scriptedClient([...turns.map((output) => ({ output })), { output: [say('Done.')] }]);
  return { session: createSession({ client, agent, tools: [note], approval: 'yolo', history }), ran, client };
}

const answers = ({ history }: Session): unknown[] =>
  history.flatMap((item) => (item.type === 'function_call_output' ? [[item.call_id, item.output]] : []));

const callIds = ({ history }: Session): unknown[] =>
  history.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : []));

async function warningsOf(session: Session): Promise<string[]> {
  const warnings: string[] = [];
  for await (const event of session.run('Go.')) if (event.type === 'warning') warnings.push(event.message);
  return warnings;
}

describe('Q15: repeated call ids', () => {
  for (const readOnly of [true, false]) {
    const kind = readOnly ? 'a tool that only reads' : 'a tool that may change something';

    test(`in a later response, an id makes a new call, the same arguments included: ${kind}`, async () => {
      const one = [call('a', 'note', { n: 1 })];
      const { session, ran, client } = calling({ turns: [one, one, [call('a', 'note', { n: 2 })]], readOnly });
      await session.run('Go.').result();
      assert.deepEqual(ran, [1, 1, 2]);
      assert.deepEqual(answers(session), [
        ['a', 'noted 1'],
        ['a', 'noted 1'],
        ['a', 'noted 2'],
      ]);
      // The server knows its calls by the ids that it gave.
      assert.deepEqual(client.asked[3]?.input?.slice(1, 3), [
        call('a', 'note', { n: 1 }),
        { type: 'function_call_output', call_id: 'a', output: 'noted 1' },
      ]);
    });

    test(`in one response, the same call under one id runs once and stands in the history once: ${kind}`, async () => {
      const twice = [call('a', 'note', { n: 1 }), { ...call('a', 'note', { n: 1 }), id: 'fc_other' }];
      const { session, ran } = calling({ turns: [twice], readOnly });
      const warnings = await warningsOf(session);
      assert.deepEqual(ran, [1]);
      assert.deepEqual(callIds(session), ['a']);
      assert.deepEqual(answers(session), [['a', 'noted 1']]);
      assert.deepEqual(warnings, ['the server sent the call a of note more than once; it counts once']);
    });

    test(`in one response, other calls under one id run, each with an id of its own: ${kind}`, async () => {
      const turn = [1, 2, 3].map((n) => call('a', 'note', { n }));
      const { session, ran, client } = calling({ turns: [turn], readOnly });
      await session.run('Go.').result();
      assert.deepEqual(new Set(ran), new Set([1, 2, 3]));
      const output = new Map(answers(session) as [string, string][]);
      assert.deepEqual(
        callIds(session).map((id) => output.get(String(id))),
        ['noted 1', 'noted 2', 'noted 3'],
      );
      assert.equal(output.size, 3);
      assert.deepEqual(openCalls(session.history), []);
      const [first, second] = client.asked[1]?.input?.slice(1) ?? [];
      assert.deepEqual(first, call('a', 'note', { n: 1 }));
      // Under its `id` the server may know another call_id.
      assert.ok(second !== undefined && typeof second === 'object' && !('id' in second));
    });
  }

  test('an id of an earlier process makes a new call', async () => {
    const earlier: InputItem[] = [
      { type: 'function_call', call_id: 'a', name: 'note', arguments: '{"n":1}' },
      { type: 'function_call_output', call_id: 'a', output: 'noted 1' },
    ];
    const { session, ran } = calling({ turns: [[call('a', 'note', { n: 1 })]], readOnly: false, history: earlier });
    await session.run('Go.').result();
    assert.deepEqual(ran, [1]);
    assert.deepEqual(callIds(session), ['a', 'a']);
  });

  test('a call without a call_id is answered under its id', async () => {
    const { call_id: _none, ...bare } = call('a', 'note', { n: 1 }) as Item & { call_id: string };
    const { session, ran } = calling({ turns: [[bare as unknown as Item]], readOnly: false });
    await session.run('Go.').result();
    assert.deepEqual(ran, [1]);
    assert.deepEqual(callIds(session), ['fc_a']);
    assert.deepEqual(answers(session), [['fc_a', 'noted 1']]);
  });

  test('an item that the server sends twice with one id stands in the history once; a prompt that the user repeats, twice', async () => {
    const reasoning: Item = { type: 'reasoning', id: 'rs_1', summary: [] };
    const { session } = calling({ turns: [[reasoning, reasoning, call('a', 'note', { n: 1 })]], readOnly: true });
    await session.run('Go.').result();
    await session
      .run('Go.')
      .result()
      .catch(() => undefined);
    assert.equal(session.history.filter(({ type }) => type === 'reasoning').length, 1);
    assert.equal(session.history.filter((item) => 'role' in item && item.role === 'user').length, 2);
  });
});

describe('ids of calls', () => {
  test('pairing: of two calls with one id and one answer, the second is still open', () => {
    const one: InputItem = { type: 'function_call', call_id: 'a', name: 'note', arguments: '{"n":1}' };
    const output: InputItem = { type: 'function_call_output', call_id: 'a', output: 'noted 1' };
    assert.deepEqual(openCalls([one, one, output]), [{ id: 'a', answer: 'function_call_output' }]);
  });
});
