import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWithoutPause } from '../../dist/base/incremental.js';
import { Context } from '../../dist/memory/context.js';
import { TokenCounter } from '../../dist/memory/usage.js';
import { startEmulator } from '../../dist/index.js';
import { postSse, json } from '../wire.js';

type Item = Readonly<Record<string, unknown>> & { readonly type?: string };

const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
const said = (id: string): Item => ({ type: 'message', role: 'assistant', id, content: [] });
const call = (n: number | string): Item => ({ type: 'function_call', id: `fc_${n}`, call_id: `call_${n}`, name: 'f' });
const output = (n: number | string): Item => ({ type: 'function_call_output', call_id: `call_${n}`, output: `o${n}` });

/** Checks a context as a turn does. Returns the message of the refusal, if there is one. */
function facts(context: Context): object {
  let refusal: unknown;
  try {
    context.refuseProblem();
    context.refuseDanglingCalls();
  } catch (error) {
    refusal = String(error);
  }
  const { length, turns, unansweredText, lastUserText, mentionsJson } = context;
  return { items: context.items(), length, turns, unansweredText, lastUserText, mentionsJson, refusal };
}

test('a turn reads its new items alone, however long the chain is', () => {
  let looks = 0;
  const watched = (item: Item): Item =>
    Object.defineProperty({ ...item }, 'type', { enumerable: true, get: () => ((looks += 1), item.type) });
  const looksAfter = (turns: number): number => {
    const tokens = new TokenCounter();
    let known = Context.of([]);
    for (let turn = 1; turn <= turns; turn += 1) {
      looks = 0;
      const context = known.with(turn === 1 ? [watched(user('go'))] : [watched(output(turn - 1))]);
      const answer = [watched(call(turn))];
      context.refuseProblem();
      context.refuseDanglingCalls();
      assert.equal(context.unansweredText, turn === 1 ? 'go' : `o${turn - 1}`);
      assert.equal(context.lastUserText, 'go');
      assert.equal(context.turns, turn - 1);
      assert.equal(context.mentionsJson, false);
      const { usage } = runWithoutPause(
        tokens.count({ request: { model: 'm', instructions: undefined }, context, tenant: '' }, answer),
      );
      assert.ok(turn === 1 || usage.input_tokens - usage.input_tokens_details.cached_tokens < 40);
      known = context.with(answer);
    }
    return looks;
  };
  assert.equal(looksAfter(1000), looksAfter(10));
});

test('a context is the same whether its items came at once or turn by turn', () => {
  const compaction: Item = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' };
  const chains: readonly (readonly Item[])[][] = [
    [[user('a')], [said('1')], [user('b json')], [said('2'), call(1), call(2)], [output(2), output(1)]],
    [[user('a')], [call(1)], [output(1), user('b')], [compaction, said('1')], [user('c')]],
    [[user('a')], [call(1)], [user('b')]],
    [[user('a')], [said('1')], [output(1)]],
    [[user('a')], [said('1')], [said('1')]],
    [
      [{ type: 'shell_call', call_id: 's', environment: { type: 'container_reference' } }],
      [{ type: 'shell_call_output', call_id: 's', output: [] }, said('1')],
      [user('z')],
    ],
  ];
  for (const parts of chains) {
    const step = parts.reduce((context, items) => context.with(items), Context.of([]));
    assert.deepEqual(facts(step), facts(Context.of(parts.flat())));
  }
});

test('a branch has the items before it and none of other branches', () => {
  const trunk = Context.of([user('a'), call(1)]);
  const left = trunk.with([output(1), call('left')]);
  const right = trunk.with([output(1), call('right')]);
  assert.doesNotThrow(() => left.with([output('left')]).refuseProblem());
  assert.doesNotThrow(() => right.with([output('right')]).refuseProblem());
  assert.throws(() => right.with([output('left')]).refuseProblem(), /No tool call found .* call_left/);
  assert.throws(() => left.with([output('right')]).refuseProblem(), /No tool call found .* call_right/);
  assert.throws(() => right.refuseDanglingCalls(), /No tool output found for function call call_right/);
  // A failed turn leaves no keys behind.
  const failed = left.with([output('left'), said('x')]);
  failed.releaseKeys(left);
  assert.doesNotThrow(() => left.with([output('left'), said('x')]).refuseProblem());
});

test('a chain can branch at every turn', () => {
  let context = Context.of([user('a')]);
  for (let turn = 1; turn <= 200; turn += 1) {
    context.with([said(`other ${turn}`)]);
    context = context.with([call(turn)]).with([output(turn)]);
  }
  assert.equal(context.length, 401);
  context.refuseProblem();
  assert.throws(() => context.with([call(3)]).refuseProblem(), /Duplicate item found with id fc_3/);
});

test('an answer of five megabytes has a bounded number of events', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const input = 'lorem ipsum '.repeat(440_000);
  const events = (await postSse(emulator.url, { model: 'm', input })).map(({ data }) => json(data));
  const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
  assert.ok(deltas.length <= 8192, `${deltas.length} deltas`);
  assert.ok(deltas.map(({ delta }) => delta).join('') === input);
});
