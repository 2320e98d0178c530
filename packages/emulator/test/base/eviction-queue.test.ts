import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvictionQueue } from '../../dist/base/eviction-queue.js';
import { heldHeap } from '../heap.js';

test('an eviction queue gives out the members of a Set in order, also if members are added or deleted meanwhile', () => {
  const members = new Set(Array.from({ length: 40 }, (_, index) => index));
  const queue = new EvictionQueue(members);
  const given: (number | undefined)[] = [];
  const take = (): void => {
    const next = queue.next();
    if (next !== undefined) members.delete(next);
    given.push(next);
  };
  take();
  members.delete(1);
  members.delete(30);
  members.add(40);
  for (let at = 0; at < 39; at += 1) take();
  const expected = [0, ...Array.from({ length: 39 }, (_, index) => index + 2).filter((member) => member !== 30)];
  assert.deepEqual(given, [...expected, undefined]);
});

test('an eviction queue begins again after the last member, and gives out nothing of an empty Set', () => {
  const members = new Set(['a']);
  const queue = new EvictionQueue(members);
  assert.deepEqual([queue.next(), queue.next()], ['a', 'a']);
  members.clear();
  assert.equal(queue.next(), undefined);
  members.add('b');
  assert.equal(queue.next(), 'b');
});

test('an eviction queue keeps no members that were deleted from its Set by others', () => {
  const members = new Set<string>();
  const queue = new EvictionQueue(members);
  members.add('first');
  assert.equal(queue.next(), 'first');
  const churn = (times: number): number => {
    for (let at = 0; at < times; at += 1) {
      const member = `${at} `.repeat(50);
      members.add(member);
      members.delete(member);
    }
    return heldHeap();
  };
  const before = churn(10_000);
  const grown = churn(100_000) - before;
  assert(grown < 1e6, `${grown} bytes more`);
});
