import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MarkdownStream } from '../../../dist/cli/screen/text/markdown.js';

/** Styles are written as their names, so that it can be seen where they begin and end. */
const styled = (style: string, text: string): string => (style === 'dim' ? text : `<${style}>${text}</${style}>`);
const plain = (_style: string, text: string): string => text;

function shown(text: string, width: number, style: (style: string, text: string) => string = plain): string[] {
  const stream = new MarkdownStream(style);
  stream.push(text);
  return [...stream.finished(width), ...stream.end(width)];
}

describe('Markdown at the terminal', () => {
  test('inline Markdown has its style, a link shows its address, and entities are characters', () => {
    assert.deepEqual(
      shown('A **bold** and *slanted* `code`, ~~gone~~, [here](https://a.example) &amp; there.', 200, styled),
      [
        'A <bold>bold</bold> and <italic>slanted</italic> <cyan>code</cyan>, <strikethrough>gone</strikethrough>, <underline>here</underline> (https://a.example) & there.',
      ],
    );
  });

  test('blocks stand apart; lists, quotes and code keep their form', () => {
    assert.deepEqual(
      shown(
        '# Title\nText.\n\n- one\n  - two\n1. three\n2. four\n- [x] done\n\n> said\n\n```js\nif (a)\n\tb();\n```',
        40,
      ),
      [
        'Title',
        '',
        'Text.',
        '',
        '• one',
        '  • two',
        '',
        '1. three',
        '2. four',
        '',
        '• ☑ done',
        '',
        '▎ said',
        '',
        '│ if (a)',
        '│     b();',
      ],
    );
  });

  test('lines are broken between words, long code anywhere, wide characters count twice', () => {
    assert.deepEqual(shown('one two three four', 9), ['one two', 'three', 'four']);
    assert.deepEqual(shown('```\n0123456789\n```', 8), ['│ 012345', '│ 6789']);
    assert.deepEqual(shown('日本語の文', 6), ['日本語', 'の文']);
  });

  test('a very long line is complete, in any script', () => {
    for (const text of ['日本語'.repeat(4000), 'a'.repeat(12_000), '\ud83d\ude00'.repeat(4000)]) {
      const rows = [...shown(text, 79), ...shown(`\`\`\`\n${text}\n\`\`\``, 79)];
      assert.equal(rows.join('').replaceAll('│ ', ''), text + text);
      assert(rows.every((row) => row.length <= 79));
    }
  });

  test('a table has columns; where there is no room for them, each row is a list', () => {
    const text = '| name | size |\n|---|--:|\n| a | 1 |\n| long name | 200 |';
    assert.deepEqual(shown(text, 40), ['name      │ size', '──────────┼─────', 'a         │    1', 'long name │  200']);
    assert.deepEqual(shown(text, 10), ['name: a', 'size: 1', '', 'name: long', 'name', 'size: 200']);
  });

  test('text in any pieces is rendered the same in the end, and each block once', () => {
    const text = '# Head\n\nSome *text* that goes on\nand on.\n\n- a\n- b\n\n```\ncode\n\nmore\n```\n\nLast.\n';
    const whole = shown(text, 30);
    for (const size of [1, 2, 7]) {
      const stream = new MarkdownStream(plain);
      const lines: string[] = [];
      for (let at = 0; at < text.length; at += size) {
        stream.push(text.slice(at, at + size));
        lines.push(...stream.finished(30));
      }
      lines.push(...stream.end(30));
      assert.deepEqual(lines, whole, `in pieces of ${size}`);
    }
  });

  test('an unfinished block is shown as far as it has come; of a long code block the end is shown, as code', () => {
    const stream = new MarkdownStream(plain);
    stream.push('First.\n\nSecond is gr');
    assert.deepEqual(stream.finished(30), ['First.']);
    assert.deepEqual(stream.growing(30), ['', 'Second is gr']);
    const code = new MarkdownStream(plain);
    code.push(`\`\`\`\n${'line\n'.repeat(10_000)}last`);
    const lines = code.growing(30);
    assert(lines.length < 2000);
    assert.deepEqual([lines[0], lines.at(-1)], ['│ line', '│ last']);
  });
});
