import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

// Whether it bounds a heap is measured (row `memory` of `npm run bench:gateway`). V8 passes over a flag that it does not know without a word.
test('the flag that limitHeapGrowth sets is one that this V8 knows', () => {
  const heap = new URL('../dist/server/heap.js', import.meta.url).href;
  const program = `import { limitHeapGrowth } from '${heap}'; limitHeapGrowth();`;
  const run = (...options: string[]): string =>
    spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 60_000 }).stdout;
  assert.match(run('--v8-options'), /^ +--heap-growing-percent /m);
  assert.match(run('--input-type=module', '--eval', `${program} console.log('set');`), /^set$/m);
});
