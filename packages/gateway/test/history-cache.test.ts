import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { heldHeap } from './heap.js';
import { HistoryCache } from '../dist/relay/history/history-cache.js';
import { cacheContext } from '../dist/relay/history/full-request.js';
import type { RelayTurn } from '@turnwire/client/relay';

const item = (text: string) => ({ type: 'message', role: 'user', content: text });
const texts = (histories: HistoryCache, principal: string, id: string): unknown[] | undefined =>
  histories
    .find(principal, id)
    ?.items()
    .map((one) => (one as { content: unknown }).content);

function keep(
  histories: HistoryCache,
  principal: string,
  id: string,
  parent: string | undefined,
  ...contents: string[]
): void {
  histories.keep(principal, { id, parent, items: contents.map(item), stored: false });
}

describe('gateway history cache', () => {
  test('join a context out of the responses that it continues', () => {
    const histories = new HistoryCache({ maxBytes: 100_000, principalBytes: 100_000 });
    keep(histories, 'p', 'a', undefined, 'one', 'two');
    keep(histories, 'p', 'b', 'a', 'three');
    keep(histories, 'p', 'fork', 'a', 'other');
    assert.deepEqual(texts(histories, 'p', 'b'), ['one', 'two', 'three']);
    assert.deepEqual(texts(histories, 'p', 'fork'), ['one', 'two', 'other']);
  });

  test('keep nothing of one principal for another', () => {
    const histories = new HistoryCache({ maxBytes: 100_000, principalBytes: 100_000 });
    keep(histories, 'p', 'a', undefined, 'secret');
    assert.equal(histories.find('q', 'a'), undefined);
    keep(histories, 'q', 'b', 'a', 'more');
    assert.equal(histories.find('q', 'b'), undefined, 'a part of a context is of no use');
  });

  test('remove the least recently used response first, and never one before those that continue it', () => {
    const histories = new HistoryCache({ maxBytes: 4000, principalBytes: 4000 });
    for (let turn = 0; turn < 3; turn += 1)
      keep(histories, 'p', `a${turn}`, turn === 0 ? undefined : `a${turn - 1}`, 'x'.repeat(500));
    keep(histories, 'p', 'b', undefined, 'x'.repeat(500));
    // The chain is used again, and the other one is older now.
    assert.notEqual(histories.find('p', 'a2'), undefined);
    keep(histories, 'p', 'c', undefined, 'x'.repeat(500));
    assert.equal(histories.find('p', 'b'), undefined);
    assert.equal(texts(histories, 'p', 'a2')?.length, 3);
    for (let more = 0; more < 20; more += 1) {
      keep(histories, 'p', `d${more}`, undefined, 'x'.repeat(500));
      assert(histories.bytes <= 4000);
      // Whatever is left of the chain is whole.
      for (let turn = 0; turn < 3; turn += 1) {
        const found = histories.find('q', `a${turn}`);
        assert.equal(found, undefined);
      }
    }
  });

  test('stay within the budget of each principal and within that of all', () => {
    const histories = new HistoryCache({ maxBytes: 10_000, principalBytes: 3000 });
    for (let turn = 0; turn < 10; turn += 1) keep(histories, 'greedy', `g${turn}`, undefined, 'x'.repeat(1000));
    assert(histories.bytes <= 3000);
    assert.notEqual(histories.find('greedy', 'g9'), undefined);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      for (const id of ['1', '2']) keep(histories, name, id, undefined, 'x'.repeat(1000));
    assert(histories.bytes <= 10_000);
    assert.notEqual(histories.find('f', '2'), undefined);
  });

  test('keep no response that is larger than the budget, and none for a budget of 0', () => {
    const small = new HistoryCache({ maxBytes: 1000, principalBytes: 1000 });
    keep(small, 'p', 'a', undefined, 'x'.repeat(2000));
    assert.equal(small.bytes, 0);
    const off = new HistoryCache({ maxBytes: 0, principalBytes: 0 });
    keep(off, 'p', 'a', undefined, 'x');
    assert.deepEqual([off.off, off.bytes], [true, 0]);
  });

  test('shrink at once when the budget becomes smaller', () => {
    const histories = new HistoryCache({ maxBytes: 10_000, principalBytes: 10_000 });
    for (let turn = 0; turn < 5; turn += 1) keep(histories, 'p', `a${turn}`, undefined, 'x'.repeat(1000));
    histories.setBudgets({ maxBytes: 2000, principalBytes: 2000 });
    assert(histories.bytes <= 2000);
  });
});

describe('gateway history cache: the context at the end of a turn', () => {
  test('has only the items that are new here, after a turn that continued a response of another gateway', () => {
    const histories = new HistoryCache({ maxBytes: 1_000_000, principalBytes: 1_000_000 });
    const long = 'x'.repeat(10_000);
    keep(histories, 'p', 'own', undefined, long, 'answer');
    const before = histories.bytes;
    const context = [item(long), item('answer'), item('two'), item('of another gateway'), item('three'), item('news')];
    const turn = { context, responseId: 'new', stored: true, continued: { responseId: 'other', from: 4 } };
    const create = { params: { input: context.slice(0, 5) }, raw: undefined, bytes: 20_000, keep: () => undefined };
    const local = { responseId: 'own', from: 2 };
    cacheContext(histories, 'p', turn as unknown as RelayTurn, { create, sent: create, local });
    assert.deepEqual(texts(histories, 'p', 'new'), [long, 'answer', 'two', 'of another gateway', 'three', 'news']);
    assert(histories.bytes - before < 1000, `${histories.bytes - before} bytes for four short items`);
  });

  for (const [what, letter] of [
    ['Latin', 'x'],
    ['other', 'я'],
  ] as const)
    test(`counts the memory that it takes, with ${what} letters, and keeps to the budgets of all and of a principal`, () => {
      const histories = new HistoryCache({ maxBytes: 16_000_000, principalBytes: 4_000_000 });
      const before = heldHeap();
      for (let count = 0; count < 60; count += 1)
        keep(histories, 'p', `resp_${count}`, undefined, letter.repeat(200_000));
      assert(histories.bytes > 3_500_000 && histories.bytes <= 4_000_000, `${histories.bytes} of one principal`);
      for (let count = 0; count < 240; count += 1)
        keep(histories, `p${count % 8}`, `resp_${count}`, undefined, letter.repeat(200_000));
      assert(histories.bytes > 15_500_000 && histories.bytes <= 16_000_000, `${histories.bytes} of all`);
      const taken = heldHeap() - before;
      assert(taken > 0.8 * histories.bytes && taken < 1.3 * histories.bytes, `${taken} for ${histories.bytes}`);
    });
});
