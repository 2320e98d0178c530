// The normal form of items, against the equality that it stands for: docs/cluster.md.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { ContextDigests } from '../../dist/continuation/context-digests.js';
import { equivalent } from '../../dist/continuation/equivalence.js';
import { normalForm } from '../../dist/continuation/normal-form.js';
import { RelayBodies } from '../../dist/relay/bodies.js';
import { call, fresh, reasoning, reply, result, user } from './items.js';
import type { Json, JsonObject } from '../../dist/json/json.js';

/** Few values, so that two of them are often equal. */
const few = fc.constantFrom<Json>(
  null,
  'a',
  'b',
  '',
  1,
  [],
  ['a'],
  { x: null },
  {},
  { x: 1, y: 'a' },
  { y: 'a', x: 1 },
);
const texts = fc.constantFrom('a', 'b', '', '\uD800', '\uFFFD');
const args = fc.constantFrom(
  '{"a":1,"b":[true]}',
  '{ "b":[true], "a":1.0 }',
  '{"a":12345678901234567890}',
  '{"a":12345678901234567000}',
  '{"a":1,"a":1}',
  '{"a":1}',
  '[{"a":1}]',
  '-0',
  '0',
  '{"a',
);
const parts = fc.oneof(
  few,
  fc.record(
    {
      type: fc.constantFrom('output_text', 'input_text', 'refusal'),
      text: texts,
      annotations: few,
      logprobs: few,
      parsed: few,
      other: few,
    },
    { requiredKeys: ['type'] },
  ) as fc.Arbitrary<Json>,
);
const item = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom('message', null),
      role: fc.constantFrom('user', 'assistant', 'developer', 'other'),
      content: fc.oneof(texts, few, fc.array(parts, { maxLength: 2 })),
      id: few,
      status: few,
      phase: few,
      other: few,
    },
    { requiredKeys: ['role'] },
  ),
  fc.record(
    {
      type: fc.constantFrom('function_call', 'reasoning', 'mcp_approval_request', 'function_call_output', 'hologram'),
      id: few,
      status: few,
      phase: few,
      call_id: few,
      arguments: fc.oneof(args, few, fc.constantFrom<Json>([{ a: 1 }], { a: 1 })),
      parsed_arguments: few,
      summary: few,
      content: few,
      output: few,
    },
    { requiredKeys: ['type'] },
  ),
  few,
) as fc.Arbitrary<Json>;

/** Another writing of the same item, as SDKs make one. */
function written(value: Json, dice: number): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = Object.keys(value);
  const isKnown = value['type'] !== 'hologram' && (typeof value['role'] === 'string' || value['type'] !== undefined);
  const turned = Object.fromEntries(
    (dice % 2 === 0 ? names.toReversed() : names).map((name) => [name, value[name] as Json]),
  );
  return isKnown && dice % 3 === 0 ? { ...turned, unheard_of: null } : turned;
}

/** What one of two equal items may lack: the form has none of it. */
function bare(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { type = 'message' } = value;
  if (type === 'hologram') return value;
  const left = type === 'mcp_approval_request' ? ['status'] : ['id', 'status'];
  if (type === 'message' || type === null) left.push('phase');
  return Object.fromEntries(Object.entries(value).filter(([name]) => !left.includes(name)));
}

const runs = { numRuns: 3000 };

describe('normal form', () => {
  test('items that are equal have the same', () => {
    let equal = 0;
    fc.assert(
      fc.property(item, item, fc.nat(5), (a, b, dice) => {
        for (const [left, right] of [
          [a, b],
          [a, written(a, dice)],
          [a, bare(a)],
        ] as const) {
          if (!equivalent(left, right)) continue;
          equal += 1;
          assert.equal(normalForm(left), normalForm(right));
        }
      }),
      runs,
    );
    assert(equal > runs.numRuns, `${equal} pairs were equal`);
  });

  test('items with the same are equal, but for ids, statuses and phases', () => {
    let same = 0;
    fc.assert(
      fc.property(item, item, fc.nat(5), (a, b, dice) => {
        for (const other of [b, written(a, dice)]) {
          if (normalForm(a) !== normalForm(other)) continue;
          same += 1;
          assert(equivalent(bare(a), bare(other)), `${JSON.stringify(a)} and ${JSON.stringify(other)}`);
        }
      }),
      runs,
    );
    assert(same > runs.numRuns, `${same} pairs had the same form`);
  });

  test('any change that a model can read is another form', () => {
    const told: [Json, (one: JsonObject) => void][] = [
      [user('one'), (one) => (one['role'] = 'developer')],
      [user('one'), (one) => (one['content'] = 'two')],
      [reply('one', 'msg_1'), (one) => (one['content'] = [{ type: 'refusal', text: 'one' }])],
      [call('1', '{"a":1}'), (one) => (one['arguments'] = '{"a":2}')],
      [call('1', '{"a":1}'), (one) => (one['name'] = 'other')],
      [call('1', '{"a":1}'), (one) => (one['call_id'] = '2')],
      [result('1', 'found'), (one) => (one['output'] = 'found ')],
      [reasoning('rs_1', 'gAAA'), (one) => (one['encrypted_content'] = 'gAAB')],
    ];
    for (const [given, change] of told) {
      const other = fresh(given) as JsonObject;
      change(other);
      assert.notEqual(normalForm(other), normalForm(given), JSON.stringify(other));
    }
  });

  test('a reference and what is nested too deep have none', () => {
    assert.equal(normalForm({ type: 'item_reference', id: 'msg_1' }), undefined);
    let deep: Json = 'a';
    for (let depth = 0; depth < 600; depth += 1) deep = [deep];
    assert.equal(normalForm({ type: 'hologram', deep }), undefined);
  });
});

describe('context digests', () => {
  const history = [user('one'), reasoning('rs_1', 'gAAA'), call('1', '{"a":1}'), result('1', 'found')];
  const params = { model: 'm', instructions: 'i', input: history };
  const held = {
    responseId: 'r1',
    stored: true,
    fields: { instructions: 'i', model: 'm' },
    input: history.slice(0, 1),
    output: history.slice(1, 3),
    alternates: [],
  };

  test('the end of a response is found in the next request, whoever asks', () => {
    const [digest] = new ContextDigests().of(held);
    assert.deepEqual(new ContextDigests().ends(fresh(params)), [{ from: 3, digest }]);
    const later = { ...params, store: true, temperature: 1, input: [...history, reply('two', 'm2'), user('three')] };
    const digests = new ContextDigests();
    assert.deepEqual(
      digests.ends(later).map(({ from }) => from),
      [5, 3],
    );
    assert.deepEqual(digests.ends(later), digests.ends(later));
    assert.equal(digests.ends(later)[1]?.digest, digest);
    assert.deepEqual(
      digests.ends(later, 3).map(({ from }) => from),
      [5],
    );
  });

  test('another field, another item, or another order is another context', () => {
    const digests = new ContextDigests();
    const [digest] = digests.of(held);
    const [one, two, three, four] = history;
    for (const other of [
      { ...params, model: 'n' },
      { ...params, tools: [] },
      { ...params, store: false },
      { ...params, input: [user('other'), two, three, four] },
      { ...params, input: [two, one, three, four] },
      { ...params, input: [one, one, two, three, four] },
    ] as JsonObject[])
      for (const end of digests.ends(other)) assert.notEqual(end.digest, digest, JSON.stringify(other));
  });

  test('either form in which an item was sent is found; a field that excludes continuing has no digest', () => {
    const digests = new ContextDigests();
    const other = reasoning('rs_1', 'other');
    const both = digests.of({ ...held, alternates: [other] });
    assert.equal(both.length, 2);
    const [one, , three, four] = history;
    assert.equal(digests.ends({ ...params, input: [one, other, three, four] as Json[] })[0]?.digest, both[1]);
    assert.deepEqual(digests.ends({ ...params, conversation: 'conv_1' }), []);
    assert.deepEqual(digests.ends({ ...params, input: 'one' }), []);
  });

  test('a long text is another context with any other character, and the same in another process', async () => {
    const text = `${'é'.repeat(3000)}\u{1F600}`;
    const [digest] = new ContextDigests().of({ ...held, fields: { instructions: text }, input: [user(text)] });
    for (const [instructions, said] of [
      [text, `${text} `],
      [`${text} `, text],
      [text.slice(1), text],
    ] as const) {
      const [other] = new ContextDigests().of({ ...held, fields: { instructions }, input: [user(said)] });
      assert.notEqual(other, digest);
    }
    assert.equal(
      await digestOfAnother(JSON.stringify({ instructions: text, input: [user(text), ...history.slice(1)] })),
      digest,
    );
  });

  test('an integer that JavaScript cannot hold counts as its client has written it, in every process', async () => {
    const body = (bound: string): string =>
      `{"seed":${bound},"tools":[{"maximum":${bound}}],"input":[{"role":"user","content":"one","n":${bound}},{"role":"assistant","content":"two"},{"role":"user","content":"three"}]}`;
    const [end] = new ContextDigests().ends(read(body('9223372036854775807')));
    assert(end !== undefined);
    assert.equal(await digestOfAnother(body('9223372036854775807')), end.digest);
    assert.notEqual(await digestOfAnother(body('9223372036854775806')), end.digest);
    assert.notEqual(await digestOfAnother(body('"9223372036854775807"')), end.digest);
  });
});

function read(body: string): JsonObject {
  const { params } = new RelayBodies(1000).read([Buffer.from(body)]) ?? {};
  assert(params !== undefined);
  return params;
}

/** The digest of the last end in a request, as a program of its own computes it. */
async function digestOfAnother(body: string): Promise<string> {
  const dist = new URL('../../dist/', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { RelayBodies } = await import(workerData.dist + 'relay/bodies.js');
      const { ContextDigests } = await import(workerData.dist + 'continuation/context-digests.js');
      const { params } = new RelayBodies(1000).read([Buffer.from(workerData.body)]);
      parentPort.postMessage(new ContextDigests().ends(params)[0].digest);
    })();`,
    { eval: true, workerData: { dist, body } },
  );
  const [digest] = (await once(worker, 'message')) as [string];
  await worker.terminate();
  return digest;
}
