import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TextDigest } from '../../dist/json/text-digest.js';
import { equivalent } from '../../dist/continuation/equivalence.js';
import { digestLongTexts } from '../../dist/continuation/stored-item.js';
import { bytesOf, equal } from '../../dist/json/json.js';
import { signatureOf } from '../../dist/continuation/signature.js';
import { call, reasoning, reply } from '../continuation/items.js';
import type { Json, JsonObject } from '../../dist/json/json.js';

const long = 'Lorem ipsum \u{1F600} dolor '.repeat(500);
/** Another string with the same characters: not the same object. */
const again = (text: string): string => text.split('').join('');

describe('digest of a long text', () => {
  test('a long text is recognised, before and after it has been once', () => {
    const digest = TextDigest.of(long);
    assert(digest instanceof TextDigest);
    const others = [
      long.replace('ipsum', 'ipsun'),
      `${long.slice(0, -1)}!`,
      long.slice(0, -1),
      `${long} `,
      '',
      long.toUpperCase(),
    ];
    for (const text of [...others, again(long), ...others, long]) assert.equal(digest.matches(text), text === long);
  });

  test('short texts stay what they are', () => {
    for (const text of ['', 'x', 'x'.repeat(4095)]) assert.equal(TextDigest.of(text), text);
    assert(TextDigest.of('x'.repeat(4096)) instanceof TextDigest);
  });

  test('halves of characters are not taken for the character that stands for them in UTF-8', () => {
    const whole = `${long}\uFFFD`;
    const half = `${long}\uD800`;
    assert.equal(TextDigest.of(half), half);
    const digest = TextDigest.of(whole);
    assert(digest instanceof TextDigest);
    assert.equal(digest.matches(half), false);
    assert.equal(digest.matches(whole), true);
  });

  const items: Readonly<Record<string, JsonObject>> = {
    message: reply(long, 'msg_1'),
    reasoning: reasoning('rs_1', long),
    image: { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: long },
    'of a type that is not known': { type: 'new', data: [{ text: long }, long], ['__proto__']: long },
  };

  for (const [what, item] of Object.entries(items)) {
    test(`an item with a digest is what the item is: ${what}`, () => {
      const held = digestLongTexts(item);
      assert(!JSON.stringify(held).includes('Lorem ipsum'), 'the text is still there');
      assert.equal(bytesOf(held), bytesOf(item));
      assert.equal(signatureOf(held), signatureOf(item));
      const copy = JSON.parse(JSON.stringify(item)) as Json;
      const edited = JSON.parse(JSON.stringify(item).replaceAll('dolor', 'color')) as Json;
      for (let time = 0; time < 2; time += 1) {
        assert(!equal(held, edited) && !equal(edited, held) && !equivalent(held, edited));
        assert(!equal(digestLongTexts(edited), held));
        assert(equal(held, copy) && equal(copy, held) && equivalent(held, copy));
        assert(equal(digestLongTexts(copy), held));
      }
    });
  }

  test('what the equivalence tolerates it tolerates of a digest, too', () => {
    const held = digestLongTexts(reply(long, 'msg_1'));
    assert(equivalent(held, { role: 'assistant', content: long }));
    assert(equivalent(held, { role: 'assistant', content: [{ type: 'output_text', text: long }] }));
    assert(!equivalent(held, { role: 'assistant', content: `${long}.` }));
    assert(!equivalent(held, { role: 'user', content: long }));
  });

  test('the arguments of a call stay text: they may be written anew', () => {
    const item: JsonObject = call('call_1', `{"text":"${long}","count":1}`);
    const held = digestLongTexts(item);
    assert(equivalent(held, { ...item, arguments: `{ "count": 1, "text": "${long}" }` }));
    assert(!equivalent(held, { ...item, arguments: `{ "count": 2, "text": "${long}" }` }));
  });

  test('an item without long texts is held as it is', () => {
    const short = reply('short', 'msg_1');
    assert.equal(digestLongTexts(short), short);
    // Large enough to be looked through.
    const several = { ...reply('x'.repeat(4095), 'msg_1'), more: 'y'.repeat(4095) };
    assert.deepEqual(digestLongTexts(several), several);
  });
});
