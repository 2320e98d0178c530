import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvictionQueue } from '../../dist/base/eviction-queue.js';

test('oldest: gives out the members of a Set in their order, those that came or went meanwhile included', () => {
  const members = new Set(['a', 'b', 'c']);
  const oldest = new EvictionQueue(members);
  assert.equal(oldest.next(), 'a');
  members.delete('a');
  members.delete('b');
  members.add('d');
  members.add('a');
  assert.deepEqual([oldest.next(), oldest.next(), oldest.next()], ['c', 'd', 'a']);
});

test('oldest: begins again after the last member, so that one that stayed is given out once more', () => {
  const members = new Set(['a']);
  const oldest = new EvictionQueue(members);
  assert.deepEqual([oldest.next(), oldest.next()], ['a', 'a']);
  members.clear();
  assert.equal(oldest.next(), undefined);
  members.add('b');
  assert.equal(oldest.next(), 'b');
});
