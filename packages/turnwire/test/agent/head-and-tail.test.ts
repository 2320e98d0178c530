import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constantFrom, property, string } from 'fast-check';
import { HeadAndTail } from '../../dist/agent/tools/head-and-tail.js';

test('whatever the chunks: all of it up to the limit, then both halves of the limit', () => {
  const limit = 16;
  check(
    property(array(string({ unit: constantFrom('a', 'b', 'c') })), (chunks) => {
      const output = new HeadAndTail(limit);
      for (const chunk of chunks) output.add(Buffer.from(chunk));
      const whole = chunks.join('');
      const expected =
        whole.length <= limit
          ? whole
          : `${whole.slice(0, 8)}\n[cut: ${whole.length - 16} of ${whole.length} bytes are not shown]\n${whole.slice(-8)}`;
      assert.equal(output.toString(), expected);
    }),
  );
});

test('characters that the cut goes through are left out', () => {
  const output = new HeadAndTail(6);
  output.add(Buffer.from('aäöüßä'));
  assert.equal(output.toString(), 'aä\n[cut: 5 of 11 bytes are not shown]\nä');
});

test('memory does not grow with the output', () => {
  const output = new HeadAndTail(256 * 1024);
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const before = process.memoryUsage().rss;
  for (let index = 0; index < 3000; index += 1) output.add(chunk);
  assert.ok(process.memoryUsage().rss - before < 1_500_000_000);
  assert.match(output.toString(), /\[cut: 3145465856 of 3145728000 bytes are not shown\]/);
});
