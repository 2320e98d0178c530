import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import type { Question } from '../../../dist/agent/calls/approval.js';
import type { ToolCall } from '../../../dist/agent/events.js';
import { approverBy, readAnswer } from '../../../dist/cli/run/approval-question.js';
import { oneLine } from '../../../dist/cli/screen/text/columns.js';
import { escaped, Printer } from '../../../dist/cli/process/terminal.js';

describe('answers to the question whether a tool may run', () => {
  const table: readonly (readonly [string, ReturnType<typeof readAnswer>])[] = [
    ['y', 'yes'],
    [' YES ', 'yes'],
    ['n', 'no'],
    ['No', 'no'],
    ['a', 'always'],
    ['always', 'always'],
    ['no, use the other folder', { no: 'use the other folder' }],
    ['no use the other folder', { no: 'use the other folder' }],
    ['n: not now', { no: 'not now' }],
    ['No - never', { no: 'never' }],
    ['no,\nin two\nlines', { no: 'in two\nlines' }],
    ['', undefined],
    ['yse', undefined],
    ['now', undefined],
    ['nothing', undefined],
    ['yes, but elsewhere', undefined],
    ['always ask', undefined],
    ['toString', undefined],
    ['also look at the weather', undefined],
  ];
  for (const [line, expected] of table) {
    test(`${JSON.stringify(line)}: ${JSON.stringify(expected) ?? 'asked again'}`, () => {
      assert.deepEqual(readAnswer(line), expected);
    });
  }
});

/** What is shown at the question, without colours. */
async function shown(call: Partial<ToolCall>, question: Partial<Question>): Promise<string> {
  const printer = new Printer(new Writable({ write: (_chunk, _encoding, done) => done() }), {});
  let text = '';
  const approver = approverBy((said) => {
    text = said;
    return Promise.resolve('no');
  }, printer);
  const signal = new AbortController().signal;
  await approver.approve(
    { id: 'c', name: 'shell', arguments: '{"cmd":"ls"}', ...call },
    { signal, agent: 'root', preview: undefined, detail: undefined, reason: undefined, fixed: false, ...question },
  );
  return text;
}

describe('the question whether a tool may run', () => {
  test('names the agent, and shows a command as it will run', async () => {
    const preview = { kind: 'command', command: 'cd x\nls', notes: ['in docs', 'in the background'] } as const;
    assert.equal(
      await shown({}, { agent: 'helper', preview }),
      'Run shell for helper\n  $ cd x\n    ls\n  (in docs, in the background)',
    );
  });

  test('shows an edit as a diff, and any other call with its whole arguments', async () => {
    const preview = { kind: 'diff', diff: 'a.txt\n@@ -1 +1 @@\n-one\n+two' } as const;
    assert.equal(
      await shown({ name: 'edit_file' }, { preview }),
      'Run edit_file for root\n  a.txt\n  @@ -1 +1 @@\n  -one\n  +two',
    );
    assert.equal(await shown({}, {}), 'Run shell for root with {"cmd":"ls"}');
  });

  test('shows the text that will run, and the reason of the question', async () => {
    assert.equal(
      await shown({ name: 'deploy' }, { detail: './deploy.sh', reason: 'it is the first request to a.example' }),
      'Run deploy for root with {"cmd":"ls"}\nIt runs ./deploy.sh\nAsked because it is the first request to a.example',
    );
  });

  test('shows characters that hide, turn or end a text as escapes', async () => {
    const command = 'echo \u202Ea\u202C \u2066b\u2069 \u200Bc\u001B[2J\u0007\u009B1m\r\u2028d';
    const text = await shown(
      { name: 'sh\nell' },
      { agent: 'ro\u200Fot', preview: { kind: 'command', command, notes: [] } },
    );
    assert.equal(
      text,
      'Run sh ell for ro\\u{200f}ot\n  $ echo \\u{202e}a\\u{202c} \\u{2066}b\\u{2069} \\u{200b}c\\u{1b}[2J\\u{7}\\u{9b}1m\\u{d}\\u{2028}d',
    );
  });
});

describe('texts from outside at a terminal', () => {
  test('a line shows misleading characters as escapes and several blanks as one; joiners of letters and emoji stay', () => {
    assert.equal(oneLine('a\u202Eb\u001B[31m\tc\n d\u200B', 80), 'a\\u{202e}b\\u{1b}[31m c d\\u{200b}');
    assert.equal(oneLine('👩\u200D👧 می\u200Cخواهم', 80), '👩\u200D👧 می\u200Cخواهم');
  });

  test('several lines keep their line feeds and tabs', () => {
    assert.equal(escaped('a\n\tb\r\n\u2029'), 'a\n\tb\\u{d}\n\\u{2029}');
  });
});
