import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InputItem } from '@turnwire/client';
import { splitHistory } from '../../../dist/agent/conversation/compaction.js';
import { agent } from '../agent.js';
import { call } from '../scripted-client.js';

const prompt = (content: string): InputItem => ({ type: 'message', role: 'user', content });
const output = (id: string, characters: number): InputItem => ({
  type: 'function_call_output',
  call_id: id,
  output: 'x'.repeat(characters),
});
/** A window of 1000 tokens is one of 4000 characters. */
const model = { ...agent.model, contextSize: 1000 };
const old = Array.from({ length: 6 }, (_, index) => [
  call(`old${index}`, 'look', {}),
  output(`old${index}`, 500),
]).flat();
const ids = (items: readonly InputItem[] = []): string[] =>
  items.flatMap((item) =>
    'call_id' in item ? [`${item.type === 'function_call' ? 'call' : 'answer'} ${String(item.call_id)}`] : [],
  );

describe('compaction of a history', () => {
  test('parallel calls stay or go together, each with its answer', () => {
    // The answer of b fits into what is kept by size, that of a does not.
    const newest = [call('a', 'look', {}), call('b', 'look', {}), output('a', 700), output('b', 100)];
    const division = splitHistory([prompt('Do it.'), ...old, ...newest], model);
    assert.deepEqual(ids(division?.kept), ['call a', 'call b', 'answer a', 'answer b']);
  });

  test('the last prompt and the newest calls with their answers stay, up to half of the window', () => {
    const division = splitHistory([prompt('Do it.'), ...old, call('a', 'look', {}), output('a', 1700)], model);
    assert.deepEqual(ids(division?.kept), ['call a', 'answer a']);
    assert.deepEqual(division?.kept[0], prompt('Do it.'));
    assert.match(JSON.stringify(division?.request), /call of look/);
  });

  test('an item that fills more than half of the window is summed up with the rest', () => {
    const division = splitHistory([prompt('Do it.'), ...old, call('a', 'look', {}), output('a', 3000)], model);
    assert.deepEqual(division?.kept, [prompt('Do it.')]);
  });

  test('nothing is summed up before the only prompt', () => {
    assert.equal(splitHistory([prompt('x'.repeat(10_000))], model), undefined);
  });
});
