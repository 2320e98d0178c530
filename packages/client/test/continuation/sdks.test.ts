// Completeness: a history that only grows, as each SDK makes it grow, is continued on every turn but the first.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { itemsOf } from '../../dist/protocol/request.js';
import { shapingFields } from '../../dist/continuation/fields.js';
import { ChainMemory } from '../../dist/continuation/memory.js';
import { snapshot } from '../../dist/json/snapshot.js';
import { call, fresh, reasoning, reply, result, text, user } from './items.js';
import { sdkHistories } from './sdk-histories.js';
import type { Json, JsonObject } from '../../dist/json/json.js';
import type { SdkHistory } from './sdk-histories.js';

interface Output {
  done: JsonObject[];
  terminal: JsonObject[];
}

const recordings = findRecordings();

/** `shared/recordings`, beside the repository. */
function findRecordings(): string | undefined {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const found = join(at, 'shared', 'recordings');
    if (existsSync(found)) return found;
  }
  return undefined;
}

/** What each response of a recording put out, in both forms. */
function outputsOf(folder: string, file: string): Output[] {
  const outputs: Output[] = [];
  let done: JsonObject[] = [];
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
    const event = (line.startsWith('{') ? JSON.parse(line) : {}) as JsonObject;
    if (event['type'] === 'response.created') done = [];
    if (event['type'] === 'response.output_item.done')
      done[event['output_index'] as number] = event['item'] as JsonObject;
    if (event['type'] === 'response.completed') {
      const terminal = (event['response'] as JsonObject)['output'] as JsonObject[];
      if (terminal.length === done.length && terminal.length > 0) outputs.push({ done, terminal });
    }
  }
  return outputs;
}

/** Four turns: reasoning and two calls at once, a call, text, text. The second form of encrypted content differs, as it does in real traffic. */
function fourTurns(): Output[] {
  const outputs = [
    [reasoning('rs_1', 'gAAA1'), call('c1', '{"query":"a","limit":5}'), call('c2', '{ "deep": {"x": [1, 2.50]} }')],
    [reasoning('rs_2', 'gAAA2'), call('c3', '{}')],
    [reasoning('rs_3', 'gAAA3'), reply('found', 'msg_1')],
    [reply('bye', 'msg_2')],
  ];
  return outputs.map((terminal) => ({
    terminal,
    done: terminal.map((item) =>
      'encrypted_content' in item ? { ...item, encrypted_content: `${text(item['id'])} done` } : item,
    ),
  }));
}

/** What the caller adds itself: the outputs of its tools, or what the user says next. */
function replies(items: readonly JsonObject[]): JsonObject[] {
  const calls = items.filter(({ type }) => type === 'function_call' || type === 'custom_tool_call');
  if (calls.length === 0) return [user('go on')];
  return calls.map((item) => ({ ...result(text(item['call_id']), 'ok'), type: `${text(item['type'])}_output` }));
}

function continues(sdk: SdkHistory, outputs: readonly Output[], first: Json): void {
  const memory = new ChainMemory({ maxBytes: 100e6 });
  const stored = sdk.stored !== 'never';
  const fields = shapingFields({ model: 'm', store: stored });
  let history: Json[] = [first];
  outputs.forEach(({ done, terminal }, turn) => {
    const input = itemsOf(snapshot(turn === 0 && typeof first === 'string' ? first : history)) ?? [];
    const plan = memory.plan({ input, fields }, () => true);
    if (turn === 0) assert.deepEqual(plan, { name: 'full', reason: 'first_turn' });
    else {
      const { done: last = [] } = outputs[turn - 1] ?? {};
      assert.equal(plan.name === 'delta' ? plan.responseId : plan.reason, `resp_${turn - 1}`);
      assert.equal(plan.name === 'delta' && plan.from, input.length - replies(last).length);
    }
    const response = { responseId: `resp_${turn}`, stored, output: fresh(terminal), alternates: fresh(done), plan };
    memory.commit({ input, fields, ...response });
    // A history that began with a string is one of items from the second turn on.
    history = [
      ...(typeof first === 'string' && turn === 0 ? [{ role: 'user', content: first }] : history),
      ...done.map((item, index) => sdk.handBack(item, terminal[index] ?? item)),
      ...replies(done),
    ];
  });
}

describe('histories of SDKs', () => {
  for (const sdk of sdkHistories) {
    test(`${sdk.name}: a delta on every turn but the first`, () => {
      for (const first of ['find it', user('find it'), { role: 'user', content: 'find it' }])
        continues(sdk, fourTurns(), first);
    });
  }

  test('real outputs, one after the other, as each SDK hands them back', (t) => {
    if (recordings === undefined) return t.skip('no recordings beside the repository');
    const seen = new Set<string>();
    for (const file of readdirSync(recordings).filter((name) => name.endsWith('.jsonl'))) {
      const outputs = outputsOf(recordings, file);
      const items = outputs.flatMap(({ done }) => done);
      for (const sdk of sdkHistories) {
        // The AI SDK has forms of its own for hosted tools, and drops citations, logprobs, open reasoning and callers: that is sent in full.
        const dropped = /"annotations":\[\{|"logprobs":\[\{|"reasoning_text"|"caller":\{/.test(JSON.stringify(items));
        const simple =
          !dropped && items.every(({ type }) => ['function_call', 'message', 'reasoning'].includes(text(type)));
        if (outputs.length === 0 || (sdk.stored !== 'either' && !simple)) continue;
        continues(sdk, [...outputs, { done: [], terminal: [] }], user('find it'));
        seen.add(`${sdk.name}, ${file}`);
      }
    }
    for (const sdk of sdkHistories) {
      assert(seen.has(`${sdk.name}, openai-reasoning-encrypted-content.1.jsonl`), sdk.name);
    }
    return assert(seen.size >= 50, `${seen.size}`);
  });

  test('a history that an SDK has really changed is sent in full', () => {
    const memory = new ChainMemory({ maxBytes: 100e6 });
    const [first = { terminal: [], done: [] }] = fourTurns();
    const fields = shapingFields({ model: 'm', store: false });
    const begun = { input: [user('find it')], fields };
    memory.commit({
      ...begun,
      responseId: 'r',
      stored: false,
      output: first.terminal,
      plan: memory.plan(begun, () => true),
    });
    const [thought = null, one = {}, two = {}] = first.terminal;
    const plan = (...items: Json[]): unknown => {
      const found = memory.plan(
        { input: [user('find it'), ...items, result('c1', 'x'), result('c2', 'x')], fields },
        () => true,
      );
      return found.name === 'full' ? found.reason : found.from;
    };
    assert.equal(plan(thought, one, two), 4);
    // Defaults of a zod schema end up in the arguments; without encrypted content the AI SDK drops the reasoning.
    assert.equal(
      plan(thought, { ...one, arguments: '{"query":"a","limit":5,"page":1}' }, two),
      'history_diverged_at: 2',
    );
    assert.equal(plan(one, two), 'history_diverged_at: 1');
  });
});
