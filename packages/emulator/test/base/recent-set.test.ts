import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentSet } from '../../dist/base/recent-set.js';

test('a recent set has at least as many strings as its size, those that were used last, and fewer than twice as many', () => {
  const size = 10;
  const recent = new RecentSet(size);
  const added: string[] = [];
  for (let count = 0; count < 200; count += 1) {
    // Every third one is a string that was used shortly before.
    const value = count % 3 === 2 ? (added.at(-7) ?? 'first') : `value ${count}`;
    recent.add(value);
    added.push(value);
    const byLastUse = [...new Set(added.toReversed())];
    const missing = byLastUse.slice(0, size).filter((each) => !recent.has(each));
    assert.deepEqual(missing, [], `after ${count + 1} strings`);
    assert.ok(byLastUse.filter((each) => recent.has(each)).length < 2 * size);
  }
});
