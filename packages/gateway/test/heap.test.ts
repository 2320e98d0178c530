import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

const gateway = new URL('../dist/server/heap.js', import.meta.url).href;

/** Replaces old strings by new ones, 20 MB at a time, and prints the largest heap in bytes. */
const churn = `
  const ring = [];
  let most = 0;
  for (let count = 0; count < 2500; count += 1) {
    ring[count % 50] = Array.from({ length: 100 }, (_, at) => Buffer.alloc(4000, 97 + ((count + at) % 20)).toString('latin1'));
    if (count > 150) most = Math.max(most, process.memoryUsage().heapUsed);
  }
  console.log(most);`;

function largestHeap(before: string): number {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', before + churn], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

describe('heap of a process that serves', () => {
  test('limitHeapGrowth: V8 collects what was forgotten earlier than by itself', () => {
    const bounded = largestHeap(`import { limitHeapGrowth } from '${gateway}'; limitHeapGrowth();`);
    const unbounded = largestHeap('');
    assert(bounded < 0.8 * unbounded, `${bounded} bytes, and ${unbounded} without`);
  });
});
