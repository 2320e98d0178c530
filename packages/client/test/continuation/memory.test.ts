import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shapingFields } from '../../dist/continuation/fields.js';
import { ChainMemory } from '../../dist/continuation/memory.js';
import { snapshot } from '../../dist/json/snapshot.js';
import { heldHeap } from '../heap.js';
import { call, fresh, reasoning, reply, result, user } from './items.js';
import type { Json, JsonObject } from '../../dist/json/json.js';
import type { ChainPlan, ChainResponse } from '../../dist/continuation/memory.js';

const usually = shapingFields({ model: 'm', instructions: 'i', tools: [{ type: 'function', name: 'lookup' }] });
const always = (): boolean => true;
const never = (): boolean => false;
const whole: ChainPlan = { name: 'full', reason: 'first_turn' };
const roomy = 100e6;

interface Asked {
  fields?: JsonObject;
  usable?: (responseId: string, stored: boolean) => boolean;
}
function ask(memory: ChainMemory, input: Json[], { fields = usually, usable = always }: Asked = {}): ChainPlan {
  return memory.plan({ input: snapshot(input) as Json[], fields }, usable);
}
/** `delta r1 from 2`, or the reason. */
function told(plan: ChainPlan): string {
  return plan.name === 'delta' ? `delta ${plan.responseId} from ${plan.from}` : plan.reason;
}
const asked = (memory: ChainMemory, input: Json[], options?: Asked): string => told(ask(memory, input, options));

function answer(
  memory: ChainMemory,
  input: Json[],
  responseId: string,
  output: Json[],
  more: Partial<ChainResponse> = {},
): void {
  memory.commit({
    input: snapshot(input) as Json[],
    fields: usually,
    responseId,
    stored: true,
    output: fresh(output),
    plan: whole,
    ...more,
  });
}

/** Two turns of one conversation, as the server holds them: r1 ends after two items, r2 after four. */
function twoTurns(memory = new ChainMemory({ maxBytes: roomy })): { memory: ChainMemory; history: JsonObject[] } {
  const history = [user('one'), reply('1', 'msg_1'), user('two'), reply('2', 'msg_2')];
  answer(memory, history.slice(0, 1), 'r1', history.slice(1, 2));
  answer(memory, history.slice(0, 3), 'r2', history.slice(3), { plan: ask(memory, history.slice(0, 3)) });
  return { memory, history };
}

test('P78: the longest context that the input begins with is continued', () => {
  const { memory, history } = twoTurns();
  assert.equal(memory.size, 2);
  assert.equal(asked(memory, [...history, user('three')]), 'delta r2 from 4');
  assert.equal(asked(memory, [...history, user('three'), user('four')]), 'delta r2 from 4');
  assert.equal(asked(memory, history.slice(0, 3)), 'delta r1 from 2');
  assert.equal(asked(memory, [...history.slice(0, 2), user('other')]), 'delta r1 from 2');
  assert.equal(asked(memory, [...history, user('three')], { usable: (id) => id === 'r1' }), 'delta r1 from 2');
});

test('the caller is asked of a response, with its "stored", whether a turn can continue it', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  answer(memory, [user('one')], 'r1', [reply('1', 'a')], { stored: false });
  const questions: unknown[] = [];
  const plan = ask(memory, [user('one'), reply('1', 'a'), user('two')], {
    usable: (...question) => {
      questions.push(question);
      return true;
    },
  });
  assert.deepEqual(questions, [['r1', false]]);
  assert.equal(plan.name === 'delta' && plan.stored, false);
});

test('D5: after any change in the history of a response, no delta continues that response', () => {
  const { memory, history } = twoTurns();
  const next = user('three');
  const edited = (index: number, item: JsonObject): JsonObject[] => [...history.with(index, item), next];
  const cases: readonly (readonly [string, Json[], string])[] = [
    ['the first item', edited(0, user('ONE')), 'history_unknown'],
    ['an answer', edited(1, reply('one', 'msg_1')), 'history_diverged_at: 1'],
    ['the same length, other text', edited(3, reply('3', 'msg_2')), 'delta r1 from 2'],
    ['two in the other order', [history[1], history[0], ...history.slice(2), next] as Json[], 'history_unknown'],
    ['one that is missing', [history[0], history[2], history[3], next] as Json[], 'history_diverged_at: 1'],
    ['one more', [history[0], user('more'), ...history.slice(1), next] as Json[], 'history_diverged_at: 1'],
    ['one twice', [history[0], ...history, next] as Json[], 'history_diverged_at: 1'],
    [
      'only the order of keys',
      edited(3, Object.fromEntries(Object.entries(reply('2', 'msg_2')).toReversed())),
      'delta r2 from 4',
    ],
  ];
  for (const [name, input, expected] of cases) assert.equal(asked(memory, input), expected, name);
});

test('D5: an edit in place is noticed, whatever the caller does with its objects', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  const history: Json[] = [user('one')];
  const output = [reply('1', 'msg_1')];
  answer(memory, history, 'r1', output);
  history.push(...output);
  assert.equal(asked(memory, [...history, user('two')]), 'delta r1 from 2');
  const part = ((history[0] as JsonObject)['content'] as JsonObject[])[0] as JsonObject;
  part['text'] = 'ONE';
  assert.equal(asked(memory, [...history, user('two')]), 'history_unknown');
  part['text'] = 'one';
  assert.equal(asked(memory, [...history, user('two')]), 'delta r1 from 2');
  (history[1] as JsonObject)['content'] = [];
  assert.equal(asked(memory, [...history, user('two')]), 'history_diverged_at: 1');
});

test('D6: a field that shapes the context has changed', () => {
  const { memory, history } = twoTurns();
  const next = [...history, user('three')];
  assert.equal(asked(memory, next, { fields: { ...usually, tools: [] } }), 'fields_changed: tools');
  assert.equal(asked(memory, next, { fields: { ...usually, store: false } }), 'fields_changed: store');
  assert.equal(asked(memory, next, { fields: fresh(usually) }), 'delta r2 from 4');
  // The same turn again, with another model: what would be continued otherwise is r1.
  assert.equal(asked(memory, history.slice(0, 3), { fields: { ...usually, model: 'n' } }), 'fields_changed: model');
});

test('the same history with two sets of fields: each finds its own response', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  const other = { ...usually, model: 'n' };
  answer(memory, [user('one')], 'r1', [reply('1', 'msg')]);
  answer(memory, [user('one')], 'r2', [reply('1', 'msg')], { fields: other });
  const next = [user('one'), reply('1', 'msg'), user('two')];
  assert.equal(asked(memory, next), 'delta r1 from 2');
  assert.equal(asked(memory, next, { fields: other }), 'delta r2 from 2');
});

test('each full plan has the reason why no response could be continued', () => {
  const { memory, history } = twoTurns();
  const next = [...history, user('three')];
  assert.equal(asked(memory, []), 'first_turn');
  assert.equal(asked(memory, [user('new')]), 'first_turn');
  assert.equal(asked(memory, [{ role: 'developer', content: 'be brief' }, user('one')]), 'first_turn');
  assert.equal(asked(memory, [user('one')]), 'first_turn');
  assert.equal(asked(memory, [user('new'), reply('x', 'y'), user('z')]), 'history_unknown');
  assert.equal(asked(memory, [result('c', 'x')]), 'history_unknown');
  assert.equal(asked(memory, next, { usable: never }), 'chain_lost');
  assert.equal(asked(memory, history.slice(0, 3), { usable: never }), 'chain_lost');
  // With r1 out of reach, an edit of what followed it is what the caller wants to hear of.
  assert.equal(asked(memory, [...history.slice(0, 2), user('other')], { usable: never }), 'history_diverged_at: 2');
  assert.equal(
    asked(memory, [...history.slice(0, 3), reply('no', 'msg_2'), user('x')], { usable: never }),
    'history_diverged_at: 3',
  );
  assert.equal(asked(memory, history, { usable: (id) => id === 'r2' }), 'nothing_new');
  assert.equal(asked(memory, history), 'delta r1 from 2');
  assert.equal(asked(memory, next, { fields: { ...usually, prompt: { id: 'p' } } }), 'unchainable: prompt');
  const once = new ChainMemory({ maxBytes: roomy });
  answer(once, history.slice(0, 3), 'r', history.slice(3));
  assert.equal(asked(once, history.slice(0, 3)), 'history_rewound');
});

test('D1: a response that the server has lost is not continued, and the plan says so, until a turn brings it again', () => {
  const { memory, history } = twoTurns();
  const next = [...history, user('three')];
  memory.forget('r2');
  memory.forget('never heard of');
  assert.equal(memory.size, 1);
  assert.equal(asked(memory, next), 'delta r1 from 2');
  memory.forget('r1');
  assert.equal(asked(memory, next), 'chain_lost');
  assert.equal(asked(memory, history), 'chain_lost');
  answer(memory, next, 'r3', [reply('3', 'msg_3')]);
  assert.equal(asked(memory, [...next, reply('3', 'msg_3'), user('four')]), 'delta r3 from 6');
  answer(memory, history.slice(0, 3), 'r2', history.slice(3));
  assert.equal(asked(memory, [...history, user('x')]), 'delta r2 from 4');
});

test('an item is recognised in the form of the terminal event and in that of its own event', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  const output = [reasoning('rs', 'terminal'), call('c', '{"a":1}')];
  answer(memory, [user('one')], 'r1', output, { alternates: [reasoning('rs', 'done'), undefined] });
  for (const encrypted of ['terminal', 'done']) {
    const input = [user('one'), reasoning('rs', encrypted), call('c', '{"a":1}'), result('c', 'x')];
    assert.equal(asked(memory, input), 'delta r1 from 3');
  }
  answer(memory, [user('one')], 'r2', output, { alternates: [reasoning('rs', 'done later'), undefined] });
  const later = [user('one'), reasoning('rs', 'done later'), call('c', '{"a":1}'), user('two')];
  assert.equal(asked(memory, later), 'delta r2 from 3');
  assert.equal(asked(memory, later.with(1, reasoning('rs', 'done'))), 'delta r1 from 3');
  const other = [user('one'), reasoning('rs', 'other'), call('c', '{"a":1}'), result('c', 'x')];
  assert.equal(asked(memory, other), 'history_diverged_at: 1');
});

test('a reference is found among many items', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  for (let index = 0; index < 50; index += 1)
    answer(memory, [user('one')], `r${index}`, [reply(`${index}`, `msg_${index}`)]);
  for (const index of [0, 7, 49]) {
    const reference = { type: 'item_reference', id: `msg_${index}` };
    assert.equal(asked(memory, [user('one'), reference, user('two')]), `delta r${index} from 2`);
  }
  assert.equal(
    asked(memory, [user('one'), { type: 'item_reference', id: 'msg_50' }, user('two')]),
    'history_diverged_at: 1',
  );
});

test('histories that differ only in ids the caller has dropped are told apart by what follows', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  for (let index = 0; index < 100; index += 1) {
    const greeting = [user('hello'), reply('how can I help?', `msg_${index}`)];
    answer(memory, greeting.slice(0, 1), `greeting_${index}`, greeting.slice(1));
    const plan = ask(memory, [...greeting, user(`question ${index}`)]);
    assert.equal(told(plan), `delta greeting_${index} from 2`);
    answer(memory, [...greeting, user(`question ${index}`)], `r${index}`, [reply('because', `msg_b${index}`)], {
      plan,
    });
  }
  for (const index of [0, 50, 99]) {
    const plain = ['hello', 'how can I help?', `question ${index}`, 'because', 'and?'].map((content, at) => ({
      role: at % 2 === 0 ? 'user' : 'assistant',
      content,
    }));
    assert.equal(asked(memory, plain), `delta r${index} from 4`);
  }
});

test('the remembered history has the items as the server has them, not as the caller has rewritten them', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  answer(memory, [user('one')], 'r1', [reply('1', 'msg_1')]);
  const dropped = [user('one'), { role: 'assistant', content: '1' }, user('two')];
  answer(memory, dropped, 'r2', [reply('2', 'msg_2')], { plan: ask(memory, dropped), stored: true });
  const next = (id: string): Json[] => [user('one'), reply('1', id), user('two'), reply('2', 'msg_2'), user('three')];
  assert.equal(asked(memory, next('msg_1')), 'delta r2 from 4');
  assert.equal(asked(memory, next('msg_other')), 'history_diverged_at: 1');
});

test('a continued response may be forgotten before the turn that continues it has ended', () => {
  const memory = new ChainMemory({ maxBytes: 60_000 });
  answer(memory, [user('one')], 'r1', [reply('1', 'msg_1')]);
  const input = [user('one'), reply('1', 'msg_1'), user('two')];
  const plan = ask(memory, input);
  assert.equal(told(plan), 'delta r1 from 2');
  for (let index = 0; index < 100; index += 1)
    answer(memory, [user(`${index}`)], `x${index}`, [reply('x', `y${index}`)]);
  assert.equal(asked(memory, input), 'history_unknown');
  answer(memory, input, 'r2', [reply('2', 'msg_2')], { plan });
  assert.equal(asked(memory, [...input, reply('2', 'msg_2'), user('three')]), 'delta r2 from 4');
  assert.equal(asked(memory, input), 'history_rewound');
});

test('D5: after a compaction the server holds something else: nothing is remembered', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  const compaction = { type: 'compaction', id: 'cmp', encrypted_content: 'x' };
  answer(memory, [user('one')], 'r1', [compaction, reply('1', 'msg_1')]);
  assert.equal(memory.size, 0);
  assert.equal(memory.bytes, 0);
  assert.equal(asked(memory, [user('one'), compaction, reply('1', 'msg_1'), user('two')]), 'history_unknown');
});

test('P39: nothing is remembered of a conversation, or of a prompt', () => {
  for (const field of ['conversation', 'prompt']) {
    const memory = new ChainMemory({ maxBytes: roomy });
    answer(memory, [user('one')], 'r1', [reply('1', 'msg')], { fields: { ...usually, [field]: 'x' } });
    assert.equal(memory.size, 0);
  }
});

test('a warm-up is continued by the first turn', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  answer(memory, [], 'warm', []);
  assert.equal(asked(memory, [user('one')]), 'delta warm from 0');
  assert.equal(asked(memory, []), 'nothing_new');
});

test('a beginning that all conversations share is held once', () => {
  const common = [user('x'.repeat(100_000)), reply('y'.repeat(1000), 'msg')];
  const one = new ChainMemory({ maxBytes: roomy });
  const many = new ChainMemory({ maxBytes: roomy });
  const remember = (memory: ChainMemory, index: number): void =>
    answer(memory, [...fresh(common), user(`${index}`)], `r${index}`, [reply('z', `msg_${index}`)], {
      fields: fresh(usually),
    });
  remember(one, 0);
  for (let index = 0; index < 1000; index += 1) remember(many, index);
  assert.equal(many.size, 1000);
  assert(many.bytes - one.bytes < 999 * 3000, `${many.bytes}`);
  for (const index of [0, 500, 999]) {
    assert.equal(
      asked(many, [...common, user(`${index}`), reply('z', `msg_${index}`), user('next')]),
      `delta r${index} from 4`,
    );
  }
});

test('D17: the budget of bytes is kept; the chain used least recently goes first', () => {
  const memory = new ChainMemory({ maxBytes: 400_000 });
  const talk = (index: number): JsonObject[] => [user(`${index} ${'x'.repeat(10_000)}`), reply('z', `msg_${index}`)];
  for (let index = 0; index < 10; index += 1)
    answer(memory, talk(index).slice(0, 1), `r${index}`, talk(index).slice(1));
  assert.equal(memory.size, 10);
  for (let index = 10; index < 40; index += 1) {
    assert.equal(asked(memory, [...talk(0), user('next')]), 'delta r0 from 2');
    answer(memory, talk(index).slice(0, 1), `r${index}`, talk(index).slice(1));
    assert(memory.bytes <= 400_000);
  }
  assert.equal(asked(memory, [...talk(39), user('next')]), 'delta r39 from 2');
  assert.equal(asked(memory, [...talk(1), user('next')]), 'history_unknown');
  assert(memory.size >= 15 && memory.size < 40, `${memory.size}`);
});

test('a response that the server has lost is the first to be forgotten for the budget', () => {
  const other = (memory: ChainMemory): void => answer(memory, [user('x')], 'x', [reply('y', 'z')]);
  const all = twoTurns().memory;
  other(all);
  for (const lost of ['r1', 'r2']) {
    const { memory, history } = twoTurns(new ChainMemory({ maxBytes: all.bytes - 1 }));
    memory.forget(lost);
    other(memory);
    assert.equal(asked(memory, [user('x'), reply('y', 'z'), user('next')]), 'delta x from 2');
    const kept = lost === 'r1' ? 'delta r2 from 4' : 'delta r1 from 2';
    assert.equal(asked(memory, [...history, user('three')]), kept);
    assert.equal(memory.size, 2);
  }
});

test('the bytes of a forgotten response are freed, all of them', () => {
  const large = (memory: ChainMemory): void =>
    answer(memory, [user('x'.repeat(20_000))], 'large', [reply('x', 'y')], { fields: { model: 'n' } });
  const alone = new ChainMemory({ maxBytes: 60_000 });
  large(alone);
  const { memory } = twoTurns(new ChainMemory({ maxBytes: alone.bytes }));
  for (let index = 0; index < 30; index += 1)
    answer(memory, [user('a'), user(`${index}`)], `r${index}`, [reply('b', `${index}`)]);
  memory.forget('r29');
  large(memory);
  assert.deepEqual([memory.size, memory.bytes], [1, alone.bytes]);
});

test('a chain that is continued again and again holds no more memory than at first', () => {
  const { memory, history } = twoTurns();
  const goOn = (times: number): number => {
    for (let at = 0; at < times; at += 1) ask(memory, [...history, user('three')]);
    return heldHeap();
  };
  const before = goOn(10_000);
  const grown = goOn(100_000) - before;
  assert(grown < 1e6, `${grown} bytes more after 100,000 plans`);
});

test('a chain that is larger than the budget is not remembered, and drives nothing out', () => {
  const { memory, history } = twoTurns(new ChainMemory({ maxBytes: 50_000 }));
  const { bytes } = memory;
  answer(memory, [user('x'.repeat(30_000))], 'large', [reply('x', 'y')]);
  answer(memory, [user('x')], 'large', [reply('y', 'z')], { fields: { instructions: 'x'.repeat(30_000) } });
  assert.equal(memory.bytes, bytes);
  assert.equal(asked(memory, [...history, user('three')]), 'delta r2 from 4');
});

test('N19: an output nested without end is not remembered', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as Json;
  memory.commit({
    input: [user('one')],
    fields: usually,
    responseId: 'r',
    stored: true,
    output: [{ type: 'x', deep }],
    plan: whole,
  });
  assert.deepEqual([memory.size, memory.bytes], [0, 0]);
});

test('a response that is committed again has the history of the second commit alone', () => {
  const memory = new ChainMemory({ maxBytes: roomy });
  answer(memory, [user('one')], 'r1', [reply('1', 'msg')]);
  const { bytes } = memory;
  answer(memory, [user('ONE')], 'r1', [reply('1', 'msg')]);
  assert.deepEqual([memory.size, memory.bytes], [1, bytes]);
  assert.equal(asked(memory, [user('one'), reply('1', 'msg'), user('two')]), 'history_unknown');
  assert.equal(asked(memory, [user('ONE'), reply('1', 'msg'), user('two')]), 'delta r1 from 2');
});

test('long items that differ in one character are told apart', () => {
  // Of the same length, and different in one character that no sample need touch.
  const texts = Array.from(
    { length: 40 },
    (_, index) => `${'x'.repeat(1001 + index)}${index}${'x'.repeat(1100 - index - String(index).length)}`,
  );
  const memory = new ChainMemory({ maxBytes: roomy });
  texts.forEach((text, index) => answer(memory, [user(text)], `r${index}`, [reply('same', 'msg')]));
  texts.forEach((text, index) => {
    assert.equal(asked(memory, [user(text), reply('same', 'msg'), user('next')]), `delta r${index} from 2`);
  });
});
