import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as check, constantFrom, integer, property, string } from 'fast-check';
import { HeadAndTail } from '../../../dist/agent/tools/commands/head-and-tail.js';

describe('head and tail of an output', () => {
  test('keeps everything up to the limit, and else half of the limit from each end, whatever the chunks', () => {
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

  test('cuts between characters and counts every byte, whatever the chunks', () => {
    check(
      property(
        array(string({ unit: constantFrom('a', 'ä', '€', '😀', '\uFFFD') }), { minLength: 1 }),
        integer({ min: 1, max: 40 }),
        integer({ min: 1, max: 5 }),
        (texts, limit, size) => {
          const output = new HeadAndTail(limit);
          const bytes = Buffer.from(texts.join(''));
          for (let at = 0; at < bytes.length; at += size) output.add(bytes.subarray(at, at + size));
          const shown = output.toString();
          const [all, head, cut, total, tail] =
            /^(.*)\n\[cut: (\d+) of (\d+) bytes are not shown\]\n(.*)$/s.exec(shown) ?? [];
          if (all === undefined || head === undefined || tail === undefined) {
            assert.equal(shown, texts.join(''));
            return;
          }
          assert.ok(texts.join('').startsWith(head));
          assert.ok(texts.join('').endsWith(tail));
          assert.equal(Number(total), bytes.length);
          assert.equal(Number(cut), bytes.length - Buffer.byteLength(head + tail));
        },
      ),
    );
  });

  test('leaves out characters that the cut goes through', () => {
    const output = new HeadAndTail(6);
    output.add(Buffer.from('aäöüßä'));
    assert.equal(output.toString(), 'aä\n[cut: 6 of 11 bytes are not shown]\nä');
  });

  test('uses memory that does not grow with the output', () => {
    const output = new HeadAndTail(256 * 1024);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const before = process.memoryUsage().rss;
    // A chunk that is new each time: one that is kept would count once.
    for (let index = 0; index < 400; index += 1) output.add(Buffer.from(chunk));
    assert.ok(process.memoryUsage().rss - before < 300_000_000);
    assert.match(output.toString(), /\[cut: 419168256 of 419430400 bytes are not shown\]/);
  });
});
