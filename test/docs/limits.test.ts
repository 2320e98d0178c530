// How long a paragraph, and a line of the source of a page, may be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pages, textOf } from './pages.js';

const maxWords = 60;
const maxColumns = 160;

/** What is too long in a page: lines, code included, and paragraphs, of which each entry of a list is one. */
function tooLong(text: string): string[] {
  const found: string[] = [];
  let isCode = false;
  let paragraph: string[] = [];
  const end = (): void => {
    const words = paragraph.join(' ').split(/\s+/).filter(Boolean).length;
    if (words > maxWords) found.push(`${words} words: ${paragraph[0]}`);
    paragraph = [];
  };
  for (const line of text.split('\n')) {
    if (line.length > maxColumns) found.push(`${line.length} columns: ${line}`);
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    const isText = !isCode && !isFence && !/^\s*$|^#|^\||^<!--/.test(line);
    if (!isText || /^\s*(?:[-*]|\d+\.) /.test(line)) end();
    if (isText) paragraph.push(line);
  }
  end();
  return found;
}

describe('the source of a page', () => {
  for (const page of pages)
    test(`${page}: no paragraph over ${maxWords} words, no line over ${maxColumns} columns`, () => {
      assert.deepEqual(tooLong(textOf(page)), []);
    });

  test('a text over the limits is found as a line, a paragraph and an entry of a list', () => {
    const long = 'word '
      .repeat(61)
      .trimEnd()
      .replaceAll(/(.{1,100}) /g, '$1\n');
    assert.deepEqual(tooLong('x'.repeat(160)), []);
    assert.equal(tooLong('x'.repeat(161)).length, 1);
    assert.equal(tooLong(long).length, 1);
    assert.equal(tooLong(`- ${long.replaceAll('\n', '\n  ')}\n- short`).length, 1);
    assert.deepEqual(tooLong(`${long.slice(0, -5)}\n- word`), []);
    assert.deepEqual(tooLong(`\`\`\`text\n${long}\n\`\`\``), []);
  });
});
