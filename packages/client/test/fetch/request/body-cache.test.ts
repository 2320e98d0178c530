import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as assertProperty, constantFrom, jsonValue, property, tuple } from 'fast-check';
import { BodyCache } from '../../../dist/fetch/request/body-cache.js';
import { characters } from '../../../dist/fetch/request/body-text.js';
import { ByteChunks } from '../../../dist/fetch/request/byte-chunks.js';
import { ByteMemory } from '../../../dist/fetch/request/byte-memory.js';
import { heldHeap } from '../../heap.js';

const long = 'x'.repeat(20_000);
const user = (content: string): object => ({ role: 'user', content });
const items = [user(long), user('zwei "zwei" \\ für 👋')];

/** The bytes of a text, cut wherever it falls. */
function inChunks(text: string, size: number): ByteChunks {
  const whole = Buffer.from(text);
  const count = Math.ceil(whole.length / size);
  return new ByteChunks(Array.from({ length: count }, (_, index) => whole.subarray(index * size, (index + 1) * size)));
}

/** Remembers a body, and reads another one: as characters, and as bytes, which must say the same. */
function readAfter(first: string, second: string) {
  const bodies = new BodyCache(characters, 10_000_000);
  const known = bodies.read(first);
  assert(known !== undefined);
  known.keep();
  const after = bodies.read(second)?.params;
  const inBytes = new BodyCache(new ByteMemory(), 10_000_000);
  const knownBytes = inBytes.read(inChunks(first, 1009));
  assert(knownBytes !== undefined);
  knownBytes.keep();
  const afterBytes = inBytes.read(inChunks(second, 997))?.params;
  assert.deepEqual(afterBytes, after);
  const kept = (before: object, later: object): number => {
    const items = inputOf(before);
    return Array.isArray(items) ? inputOf(later).filter((item, index) => item === items[index]).length : 0;
  };
  if (after !== undefined && afterBytes !== undefined && Array.isArray(inputOf(after)))
    assert.equal(kept(knownBytes.params, afterBytes), kept(known.params, after));
  return { before: known.params, after, bodies };
}

const inputOf = (params: object | undefined): unknown[] => (params as { input: unknown[] }).input;

const grown: Readonly<Record<string, [before: object, after: object]>> = {
  'the input first': [{ input: items }, { input: [...items, user('drei')] }],
  'the input last': [
    { model: 'm', input: items },
    { model: 'm', input: [...items, user('drei'), user('vier')] },
  ],
  'fields around it': [
    { model: 'm', input: items, tools: [{ input: [1] }], stream: true },
    { model: 'm', input: [...items, user(']}')], tools: [{ input: [1] }], stream: true },
  ],
  'fields after it that change': [
    { model: 'm', input: items, temperature: 1 },
    { model: 'm', input: [...items, user('drei')], temperature: 0.5, metadata: { a: ']' } },
  ],
  'nothing new': [
    { model: 'm', input: items, stream: true },
    { model: 'm', input: items, stream: false },
  ],
  'brackets in texts before it': [
    { instructions: 'a "input":[ \\" {', input: items },
    { instructions: 'a "input":[ \\" {', input: [...items, 'more'] },
  ],
};

describe('body cache', () => {
  for (const [what, [before, after]] of Object.entries(grown)) {
    test(`a history that has grown has the very items it had: ${what}`, () => {
      const found = readAfter(JSON.stringify(before), JSON.stringify(after));
      assert.deepEqual(found.after, after);
      assert.deepEqual(Object.keys(found.after ?? {}), Object.keys(after));
      for (const [index, item] of inputOf(found.before).entries()) assert.equal(inputOf(found.after)[index], item);
    });
  }

  const text = JSON.stringify(items);
  const open = text.slice(0, -1);

  for (const [what, before, after] of [
    ['an item edited in place', `{"input":${text}}`, `{"input":${text.replace('zwei', 'zwo!')}}`],
    ['an item that goes on', `{"input":[1,"${long}",12]}`, `{"input":[1,"${long}",123]}`],
    ['another field before it', `{"model":"a","input":${text}}`, `{"model":"b","input":${text}}`],
    ['a comma too many', `{"input":${text}}`, `{"input":${open},]}`],
    ['no comma', `{"input":${text}}`, `{"input":${open} 1]}`],
    ['two arrays', `{"input":${text}}`, `{"input":${open}],[1]}`],
    ['an end in the middle', `{"input":${text}}`, `{"input":${open},{"a":"b`],
    ['an input that stands twice', `{"input":${text}}`, `{"input":${open},1],"input":[2]}`],
    ['an input that stands twice, in two spellings', `{"input":${text}}`, `{"input":${open},1],"inp\\u0075t":[2]}`],
    ['an input that stood twice', `{"input":${text},"input":[3]}`, `{"input":${text},"input":[3,4]}`],
    [
      'an input that stood twice, in two spellings',
      `{"input":${text},"inp\\u0075t":[3]}`,
      `{"input":${open},1],"x":1}`,
    ],
    [
      'one that stands inside another field',
      `{"a":{"input":${text}},"input":[0]}`,
      `{"a":{"input":${open},1]},"input":[0]}`,
    ],
    ['a field behind it that is broken', `{"input":${text}}`, `{"input":${open},1],"a":}`],
    ['something behind the object', `{"input":${text}}`, `{"input":${open},1]}}`],
    ['white space', `{ "input" :\n${text} }`, `{ "input" :\n${open} , 1 ] , "a" : 2 }`],
    ['numbers that JSON writes in another way', `{"input":${text},"a":1.50}`, `{"input":${open},1e2,-0.0],"a":1.5}`],
  ] as const) {
    test(`the cache reads what JSON.parse reads: ${what}`, () => {
      assert.deepEqual(readAfter(before, after).after, parsed(after));
    });
  }

  test('the cache reads what JSON.parse reads, whatever the texts are', () => {
    const value = jsonValue({ maxDepth: 3 });
    const name = constantFrom('a', 'input', 'inp\\u0075t', '"[', 'model');
    const fields = array(tuple(name, value), { maxLength: 3 });
    const write = (pairs: [string, unknown][]): string[] =>
      pairs.map(([key, one]) => `${key.includes('"') ? JSON.stringify(key) : `"${key}"`}:${JSON.stringify(one)}`);
    assertProperty(
      property(fields, fields, fields, array(value), array(value), (before, after, later, old, added) => {
        const body = (input: unknown[], rest: [string, unknown][]): string =>
          `{${[...write(before), `"input":${JSON.stringify(input)}`, ...write(rest)].join(',')}}`;
        const first = body([long, ...old], after);
        const second = body([long, ...old, ...added], later);
        assert.deepEqual(readAfter(first, second).after, parsed(second));
        // Cut anywhere, it is no JSON.
        const cut = second.slice(0, second.length - 1 - (added.length % second.length));
        assert.equal(readAfter(first, cut).after, undefined);
      }),
    );
  });

  test('the text has a bound: the one that was not used for longest goes', () => {
    const bodies = new BodyCache(characters, 100_000);
    const read = (name: string): unknown => {
      const body = bodies.read(JSON.stringify({ input: [long, name] }));
      body?.keep();
      return inputOf(body?.params)[0];
    };
    for (const name of ['a', 'b', 'c', 'd']) read(name);
    assert.equal(bodies.size, 2);
    bodies.read(JSON.stringify({ input: ['x'.repeat(60_000)] }))?.keep();
    assert.equal(bodies.size, 2);
  });

  test('a body takes the place of the one it goes on from, also where two go on from the same', () => {
    const bodies = new BodyCache(characters, 10_000_000);
    bodies.read(JSON.stringify({ input: items }))?.keep();
    bodies.read(JSON.stringify({ input: [...items, 1] }))?.keep();
    assert.equal(bodies.size, 1);
    const both = [2, 3].map((item) => bodies.read(JSON.stringify({ input: [...items, 1, item] })));
    for (const body of both) body?.keep();
    assert.equal(bodies.size, 2);
    bodies.close();
    both[0]?.keep();
    assert.equal(bodies.size, 0);
  });

  test('two bodies that go on from the same are both known later, as characters and as bytes', () => {
    const inBytes = new BodyCache(new ByteMemory(), 10_000_000);
    const inCharacters = new BodyCache(characters, 10_000_000);
    const readers = [
      (body: object) => inBytes.read(inChunks(JSON.stringify(body), 1009)),
      (body: object) => inCharacters.read(JSON.stringify(body)),
    ];
    for (const read of readers) {
      read({ input: items })?.keep();
      const both = [2, 3].map((item) => read({ input: [...items, item] }));
      for (const body of both) body?.keep();
      for (const [index, item] of [2, 3].entries()) {
        const after = read({ input: [...items, item, 'more'] })?.params;
        assert.deepEqual(after, { input: [...items, item, 'more'] });
        assert.equal(inputOf(after)[0], inputOf(both[index]?.params)[0]);
      }
    }
  });

  test('a body that goes on from a forgotten one is not kept, and is read anew the next time', () => {
    const bodies = new BodyCache(new ByteMemory(), 130_000);
    const read = (...input: unknown[]) => bodies.read(inChunks(JSON.stringify({ input }), 1009));
    read(long, 'a')?.keep();
    const late = read(long, 'a', 'b');
    for (const other of ['c', 'd', 'e']) read(`${other}${long}`)?.keep();
    late?.keep();
    assert.deepEqual(read(long, 'a', 'b', 'c')?.params, { input: [long, 'a', 'b', 'c'] });
    assert.deepEqual(read(`e${long}`, 'f')?.params, { input: [`e${long}`, 'f'] });
  });

  test('however often a body grows, the items before are the very ones', () => {
    const bodies = new BodyCache(characters, 10_000_000);
    const history: unknown[] = [...items];
    let before = inputOf(bodies.read(JSON.stringify({ input: history }))?.params);
    for (let turn = 0; turn < 200; turn += 1) {
      const first = { input: history, temperature: turn % 3 };
      bodies.read(JSON.stringify(first))?.keep();
      history.push(user(`${turn}`));
      const after = bodies.read(JSON.stringify({ input: history, temperature: turn % 2 }));
      after?.keep();
      assert.deepEqual(after?.params, { input: history, temperature: turn % 2 });
      if (turn > 0) assert.equal(inputOf(after.params)[before.length - 1], before.at(-1));
      before = inputOf(after.params);
      // One character less in the middle of what came before is another history.
      const edited = history.map((item, index) => (index === turn ? user('edited') : item));
      assert.deepEqual(bodies.read(JSON.stringify({ input: edited }))?.params, { input: edited });
    }
    assert.equal(bodies.size, 1);
  });

  test('of the texts of a history that grows only what is new is kept alive', () => {
    const bodies = new BodyCache(characters, 1_000_000_000);
    const history: unknown[] = [user('x'.repeat(1_000_000))];
    const turn = (count: number): void => {
      // What comes after the input may change as well.
      history.push(user(`${count} ${long.slice(0, 1000)}`));
      bodies
        .read(JSON.stringify({ input: history, temperature: count % 2, instructions: `${count} in other words` }))
        ?.keep();
    };
    for (let count = 0; count < 5; count += 1) turn(count);
    const before = heldHeap();
    for (let count = 5; count < 55; count += 1) turn(count);
    assert.equal(bodies.size, 1);
    assert((heldHeap() - before) / 1e6 < 2, `${(heldHeap() - before) / 1e6} MB more for 50 KB`);
  });

  test('a short body is not kept, nor one whose input is no list of items', () => {
    const bodies = new BodyCache(characters, 10_000_000);
    for (const body of [{ input: ['short'] }, { input: long }, { input: [], a: long }, { a: long }])
      bodies.read(JSON.stringify(body))?.keep();
    assert.equal(bodies.size, 0);
  });

  /** As an engine that knows nothing of earlier bodies has it; JSON writes a negative zero as 0. */
  function parsed(json: string): unknown {
    try {
      return JSON.parse(JSON.stringify(JSON.parse(json)));
    } catch {
      return undefined;
    }
  }

  test('bytes that are no UTF-8 are no body, also behind a known beginning', () => {
    const bodies = new BodyCache(new ByteMemory(), 10_000_000);
    const body = JSON.stringify({ input: items });
    bodies.read(new ByteChunks([Buffer.from(body)]))?.keep();
    assert.equal(bodies.size, 1);
    const more = Buffer.from(JSON.stringify({ input: [...items, user('drei')] }));
    more[more.indexOf('drei')] = 0xff;
    assert.equal(bodies.read(new ByteChunks([more])), undefined);
  });
});
