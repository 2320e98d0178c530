import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputItem, Item } from '@turnwire/client';
import { z } from 'zod';
import { createSession, type Session } from '../../dist/agent/session.js';
import { openCalls } from '../../dist/agent/pairing.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import { agent } from './agent.js';
import { call, say, scriptedClient } from './scripted-client.js';

/** A session whose model makes these calls, a turn each, and what its tool was run with. */
function calling({ turns, readOnly, history }: { turns: Item[][]; readOnly: boolean; history?: InputItem[] }): {
  session: Session;
  ran: number[];
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
  return { session: createSession({ client, agent, tools: [note], approval: 'yolo', history }), ran };
}

const answers = ({ history }: Session): unknown[] =>
  history.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []));

const usedBefore =
  'Error: this call was not run: the id a was used before, for another call; make it again with a new id';

for (const readOnly of [true, false]) {
  const kind = readOnly ? 'only reads' : 'may change something';

  test(`the same call with the id of an earlier one is answered as before: ${kind}`, async () => {
    const { session, ran } = calling({
      turns: [[call('a', 'note', { n: 1 })], [call('a', 'note', { n: 1 })]],
      readOnly,
    });
    await session.run('Go.').result();
    assert.deepEqual(ran, [1]);
    assert.deepEqual(answers(session), ['noted 1', 'noted 1']);
  });

  test(`another call with the id of an earlier one fails, however often: ${kind}`, async () => {
    const other = [call('a', 'note', { n: 2 })];
    const { session, ran } = calling({ turns: [[call('a', 'note', { n: 1 })], other, other], readOnly });
    await session.run('Go.').result();
    assert.deepEqual(ran, [1]);
    assert.deepEqual(answers(session), ['noted 1', usedBefore, usedBefore]);
  });

  test(`two calls of one id in one response are both answered: ${kind}`, async () => {
    for (const [second, answer] of [
      [1, 'noted 1'],
      [2, usedBefore],
    ] as const) {
      const both = [call('a', 'note', { n: 1 }), call('a', 'note', { n: second })];
      const { session, ran } = calling({ turns: [both], readOnly });
      await session.run('Go.').result();
      assert.deepEqual(ran, [1]);
      assert.deepEqual(answers(session), ['noted 1', answer]);
      assert.deepEqual(openCalls(session.history), []);
    }
  });
}

test('an answer of an earlier process is known by its call, not by its id alone', async () => {
  const earlier: InputItem[] = [
    { type: 'function_call', call_id: 'a', name: 'note', arguments: '{"n":1}' },
    { type: 'function_call_output', call_id: 'a', output: 'noted 1' },
  ];
  const turns = [[call('a', 'note', { n: 2 })], [call('a', 'note', { n: 1 })]];
  const { session, ran } = calling({ turns, readOnly: false, history: earlier });
  await session.run('Go.').result();
  assert.deepEqual(ran, []);
  assert.deepEqual(answers(session), ['noted 1', usedBefore, 'noted 1']);
});

test('of two calls of one id, of which one is answered, the other is still open', () => {
  const one: InputItem = { type: 'function_call', call_id: 'a', name: 'note', arguments: '{"n":1}' };
  const output: InputItem = { type: 'function_call_output', call_id: 'a', output: 'noted 1' };
  assert.deepEqual(openCalls([one, one, output]), [{ id: 'a', answer: 'function_call_output' }]);
});
