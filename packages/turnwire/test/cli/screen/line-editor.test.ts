import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test, type TestContext } from 'node:test';
import { LineEditor } from '../../../dist/cli/screen/line-editor.js';

const nothing = (): void => undefined;

function editor(t: TestContext, text: string): LineEditor {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: nothing });
  const made = new LineEditor(
    { stdin, stdout: new PassThrough(), stderr: new PassThrough(), env: {}, cwd: '/' } as never,
    {
      onLine: nothing,
      onChange: nothing,
      onEscape: nothing,
      onUnfold: nothing,
      onInterrupt: nothing,
      onSuspend: nothing,
      onEnd: nothing,
      onGone: nothing,
      complete: () => [],
    },
  );
  t.after(() => made.close());
  made.text = text;
  return made;
}

describe('line editor: its rows', () => {
  const label = '[y]es, [n]o, [a]lways in this session, or no and a reason? ';

  test('a label that is wider than the screen is broken between words, and the cursor stands behind it', (t) => {
    const { rows, cursor } = editor(t, '').layout(label, 39, 10);
    assert.deepEqual(rows, ['[y]es, [n]o, [a]lways in this session,', 'or no and a reason? ']);
    assert.deepEqual(cursor, { row: 1, column: 20 });
  });

  test('typed text goes on behind the label, and no row is wider than the screen', (t) => {
    const { rows, cursor } = editor(t, 'no, because it is wrong').layout(label, 39, 10);
    assert.deepEqual(rows, [
      '[y]es, [n]o, [a]lways in this session,',
      'or no and a reason? no, because it is w',
      'rong',
    ]);
    assert.deepEqual(cursor, { row: 2, column: 4 });
  });
});
