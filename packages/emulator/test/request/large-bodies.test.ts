import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runWithoutPause, runInSteps } from '../../dist/base/incremental.js';
import { startEmulator } from '../../dist/index.js';
import { parseJson } from '../../dist/request/json-body.js';
import { pieces } from '../../dist/wire/output-item.js';
import { postJson, RawSocket } from '../wire.js';

const message = (text: string): object => ({ role: 'user', content: text });
const messages = (count: number): object[] => Array.from({ length: count }, (_, n) => message(`${n} "]},{[ \\ é 😀`));
const large = JSON.stringify({ model: 'any', input: messages(10_000), tools: [], stream: true });

describe('a large JSON body, parsed in steps', () => {
  const parse = (text: string | Buffer): unknown => runWithoutPause(parseJson(Buffer.from(text), 'not JSON'));

  test('gives the value of JSON.parse', () => {
    const spaced = JSON.stringify(JSON.parse(large), null, 2);
    const twice = `{"input":${JSON.stringify(messages(9000))},"input":"the last one counts"}`;
    const two = JSON.stringify({ input: messages(9000), tools: messages(8000), last: [1, [2, []], {}] });
    const nested = JSON.stringify({ input: [{ content: messages(9000) }, [], 'x'] });
    const list = JSON.stringify(messages(9000));
    for (const text of [large, spaced, twice, two, nested, list]) assert.deepEqual(parse(text), JSON.parse(text));
  });

  test('gives the value of JSON.parse for long texts in any place and with any escapes', () => {
    const escapes = '\\"\n\u0001é😀\ufeff'.repeat(60_000);
    const slashes = '\\'.repeat(400_001);
    const bodies = [
      { input: 'x'.repeat(900_000) },
      { input: [...messages(5), { content: [{ type: 'input_text', text: escapes }] }], last: slashes },
      { input: messages(9000), instructions: '😀é'.repeat(200_000), ['k'.repeat(300_000)]: 'v' },
      'x'.repeat(300_000),
      [['y'.repeat(300_000)], null, 7],
    ];
    for (const body of bodies) {
      const text = JSON.stringify(body);
      assert.deepEqual(parse(text), body);
      assert.deepEqual(parse(JSON.stringify(body, null, 2)), body);
      const ascii = text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
      assert.deepEqual(parse(ascii), body);
    }
  });

  test('is refused if a long text is not valid', () => {
    const text = JSON.stringify({ input: 'x'.repeat(900_000), stream: true });
    for (const wrong of ['\n', '\\x', '\\u12', '\0']) {
      const broken = `${text.slice(0, 500_000)}${wrong}${text.slice(500_000)}`;
      assert.throws(() => JSON.parse(broken));
      assert.throws(() => parse(broken), /not JSON/);
    }
    for (const broken of [text.slice(0, -20), text.slice(0, -1), `${text}}`])
      assert.throws(() => parse(broken), /not JSON/);
    const invalid = Buffer.from(text);
    invalid[500_000] = 0xff;
    assert.throws(() => parse(invalid), /not JSON/);
  });

  test('is refused if JSON.parse refuses it', () => {
    const at = large.indexOf('},{"role"', 300_000);
    const broken = [
      large.replace('"input":[', '"input":[,'),
      large.replace('],"tools"', ',],"tools"'),
      `${large.slice(0, at)}},,{${large.slice(at + 3)}`,
      `${large.slice(0, at)}}{${large.slice(at + 3)}`,
      large.replace('],"tools"', '},"tools"'),
      large.slice(0, -1),
      `${large}x`,
      `{"input":[${' '.repeat(300_000)},]}`,
    ];
    for (const text of broken) {
      assert.throws(() => JSON.parse(text));
      assert.throws(() => parse(text), /not JSON/, text.slice(0, 40));
    }
    const invalid = Buffer.from(large);
    invalid[at + 20] = 0xff;
    assert.throws(() => parse(invalid), /not JSON/);
    assert.throws(() => parse(`{"input":[${'['.repeat(2000)}${']'.repeat(2000)},"${'x'.repeat(300_000)}"]}`), /deep/);
  });

  test('takes several steps, between which the event loop turns', async () => {
    const steps = [...parseJson(Buffer.from(large), 'not JSON')].length;
    assert.ok(steps > 2, String(steps));
    let turns = 0;
    let ended = false;
    const count = (): void => {
      turns += 1;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    function* slow(): Generator<void, string> {
      for (let step = 0; step < 3; step += 1) {
        for (const begun = performance.now(); performance.now() - begun < 6;);
        yield;
      }
      return 'done';
    }
    assert.equal(await runInSteps(slow()), 'done');
    ended = true;
    assert.ok(turns >= 3, String(turns));
  });
});

test('token count: a long or short text counts as the bytes of its JSON, and is cached when it comes again', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const usageOf = async (
    text: string,
  ): Promise<{ input_tokens: number; input_tokens_details: { cached_tokens: number } }> => {
    const input = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }];
    const { usage } = await postJson(emulator.url, { model: 'any', input });
    return usage;
  };
  const bytesOf = (text: string): number =>
    Buffer.byteLength('["any",null,[]]') +
    Buffer.byteLength(JSON.stringify({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }));
  for (const text of ['Hello', `${'"\n\ud83d\ude00é'.repeat(100_000)}\ud83d`]) {
    const usage = await usageOf(text);
    assert.equal(usage.input_tokens, Math.ceil(bytesOf(text) / 4));
    assert.ok(usage.input_tokens_details.cached_tokens < usage.input_tokens);
    const again = await usageOf(text);
    assert.equal(again.input_tokens_details.cached_tokens, again.input_tokens);
  }
});

test('deltas: a long text is cut into at most 8,192 pieces, never within a character', () => {
  for (const text of [
    'word '.repeat(60_000),
    '😀'.repeat(200_000),
    `${'x'.repeat(300_000)} end`,
    'a b '.repeat(8000),
  ]) {
    const all = [...pieces(text)];
    assert.equal(all.join(''), text);
    assert.ok(all.length <= 8192, String(all.length));
    assert.ok(all.every((piece) => piece !== '' && piece.isWellFormed()));
  }
});

test('a socket answers messages in their order, a large one before the small one behind it', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const socket = await RawSocket.open(emulator.url);
  t.after(() => socket.close());
  socket.create({ model: 'large', input: messages(10_000) });
  socket.create({ model: 'small', input: 'Hello' });
  await socket.turn();
  await socket.turn();
  assert.deepEqual(
    emulator.journal.turns().map(({ request }) => (request as { model: string }).model),
    ['large', 'small'],
  );
  assert.equal(emulator.journal.turns()[0]?.transcript.length, 10_000);
});
