import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Paste } from '../../../dist/cli/screen/text/paste.js';

const begin = '\u001b[200~';
const end = '\u001b[201~';

const reads = (paste: Paste, ...chunks: string[]): string[] =>
  chunks.flatMap((chunk) => paste.read(Buffer.from(chunk)).map(({ kind, text }) => `${kind} ${JSON.stringify(text)}`));

describe('pasted text at the terminal', () => {
  test('pasted text is kept apart from keys in its order; its line feeds send nothing, and its escapes do nothing', () => {
    assert.deepEqual(reads(new Paste(100), `a${begin}one\r\ntwo\nthree\u0003\u001b[A\tx${end}\r`), [
      'keys "a"',
      'pasted "one␊two␊three[A  x"',
      'keys "\\r"',
    ]);
  });

  test('a mark and a character may come in pieces; an escape alone is a key at once', () => {
    assert.deepEqual(reads(new Paste(100), '\u001b', 'x', '\u001b[20', '0~日本', '語\u001b[201', '~y'), [
      'keys "\\u001b"',
      'keys "x"',
      'pasted "日本語"',
      'keys "y"',
    ]);
    const bytes = Buffer.from('é');
    const paste = new Paste(100);
    assert.deepEqual(paste.read(bytes.subarray(0, 1)), []);
    assert.deepEqual(paste.read(bytes.subarray(1)), [{ kind: 'keys', text: 'é' }]);
  });

  test('a paste has a size limit, and the keys after it are read', () => {
    assert.deepEqual(reads(new Paste(4), `${begin}abc`, 'defghi', `${end}k`), ['pasted "abcd"', 'keys "k"']);
  });
});
