import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Item } from '@turnwire/client';
import { z } from 'zod';
import { readArguments } from '../../../dist/agent/calls/arguments.js';
import { History } from '../../../dist/agent/conversation/history.js';
import { createSession } from '../../../dist/agent/session.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import { agent } from '../agent.js';
import { call, say, scriptedClient } from '../scripted-client.js';

const wrong: readonly (readonly [what: string, text: string, told: RegExp])[] = [
  ['half of it', '{"path": "a', /not valid JSON. They were: \{"path": "a/],
  ['an array', '["a"]', /must be a JSON object, not an array. They were: \["a"\]/],
  ['null', 'null', /must be a JSON object, not null/],
  ['a string', '"{}"', /must be a JSON object, not a string/],
  ['a number', '7', /must be a JSON object, not a number/],
  ['a key twice', '{"path":"a","path":"b"}', /have the key "path" more than once/],
  ['a key twice, spelt differently', String.raw`{"path":"a","p\u0061th":"b"}`, /have the key "path" more than once/],
  ['a key twice, deeper', '{"a":[{"b":1},{"c":{"d":1,"e":2,"d":3}}]}', /have the key "d" more than once/],
  ['half a character', String.raw`{"path":"\ud83d"}`, /hold half of a character/],
  ['half a character in a key', String.raw`{"\ud83d":1}`, /hold half of a character/],
];

describe('arguments of a call', () => {
  for (const [what, text, told] of wrong) {
    test(`${what}: not run, told to the model, and not sent back to the server`, async () => {
      const seen: unknown[] = [];
      const read = defineTool({
        name: 'read',
        description: 'Reads.',
        readOnly: true,
        input: z.object({}).loose(),
        run: (args) => {
          seen.push(args);
          return Promise.resolve('read');
        },
      });
      const client = scriptedClient([{ output: [call('c1', 'read', text)] }, { output: [say('end')] }]);
      const session = createSession({ client, agent, tools: [read], approval: 'yolo' });
      await session.run('go').result();
      assert.deepEqual(seen, []);
      const [, sent, answer] = (client.asked[1]?.input ?? []) as readonly Record<string, string>[];
      assert.deepEqual([sent?.['id'], sent?.['arguments']], ['fc_c1', '{}']);
      assert.match(answer?.['output'] ?? '', told);
      assert.match(answer?.['output'] ?? '', /Nothing was run; write the call of read again/);
    });
  }

  test('the model is shown a part of a long text', () => {
    const read = readArguments(`{"a":"${'😀'.repeat(2000)}`);
    assert.ok('problem' in read && read.problem.length < 1200 && read.problem.isWellFormed());
  });

  test('equal keys in different objects, strings or arrays are not repeated keys', () => {
    const texts = [
      '{"a":{"a":1},"b":{"a":2}}',
      String.raw`{"a":"\"a\":1","b":"{\"a\":1,\"a\":2}","c":"\\"}`,
      '{"a":["a","a","a"],"b" : [ {"a" :1} , {"a":2} ]}',
      '{"":1," ":2}',
    ];
    for (const text of texts) assert.deepEqual(readArguments(text), { value: JSON.parse(text) });
    for (const text of ['', ' \n']) assert.deepEqual(readArguments(text), { value: {} });
  });

  test('megabytes of escapes and keys are read within the time limit', () => {
    const text = JSON.stringify({
      content: '\\"\n'.repeat(400_000),
      ...Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, ['x']])),
    });
    const started = performance.now();
    assert.ok('value' in readArguments(text));
    // A few hundred milliseconds; quadratic, it would be minutes.
    assert.ok(performance.now() - started < 10_000);
  });
});

describe('history: items that a strict server would refuse are repaired', () => {
  const kept = (item: Item): unknown => {
    const history = new History();
    history.commit([item], 'm');
    return history.items[0];
  };

  test('empty arguments, and arguments that are no text, are kept as JSON text', () => {
    assert.deepEqual(kept(call('c1', 'read', '')), call('c1', 'read', '{}'));
    const asObject = { ...call('c1', 'read', {}), arguments: { path: 'a' } } as unknown as Item;
    assert.deepEqual(kept(asObject), call('c1', 'read', { path: 'a' }));
    assert.deepEqual(kept({ ...call('c1', 'read', {}), arguments: null } as unknown as Item), call('c1', 'read', '{}'));
  });

  test('a function name with characters that the API refuses is kept without them', () => {
    assert.deepEqual(kept(call('c1', 'functions.read<|x|>', {})), call('c1', 'functions_read__x__', {}));
  });

  test('an unpaired surrogate is replaced in every field; an item without one stays the same object', () => {
    assert.deepEqual(kept(say('a\uD83D')), say('a\uFFFD'));
    const fine = { ...say('😀'), unknown: [{ deep: true }] };
    assert.equal(kept(fine), fine);
  });

  test('the arguments of a call that was cut off are kept as {}, with an answer that says so', async () => {
    const client = scriptedClient([{ output: [call('c1', 'read', '{"path":"a')], status: 'incomplete' }]);
    const session = createSession({ client, agent, tools: [], approval: 'yolo' });
    await assert.rejects(session.run('go').result(), { code: 'incomplete' });
    assert.deepEqual(session.history.slice(1), [
      call('c1', 'read', '{}'),
      {
        type: 'function_call_output',
        call_id: 'c1',
        output: 'Error: this call was not run, because the response was cut off.',
      },
    ]);
  });

  test('invalid arguments in a stored history are repaired when it is read', () => {
    const history = new History({ items: [call('c1', 'read', '{"a')], makers: new Map() });
    assert.deepEqual(history.items, [call('c1', 'read', '{}')]);
  });

  test('an item of a stored history keeps its maker when it is repaired', () => {
    const item = call('c1', 'read', '{"a');
    const history = new History({ items: [item], makers: new Map([[item, 'm']]) });
    assert.equal(history.originOf(history.items[0] ?? item), 'm');
  });
});
