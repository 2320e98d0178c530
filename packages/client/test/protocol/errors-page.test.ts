// docs/errors.md against the tables of failures.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { kindOfStatus } from '../../dist/protocol/errors/failure.js';
import { failureTable, serverCodes } from '../../dist/protocol/errors/failure-table.js';

// From packages/client/dist-test/protocol.
const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

/** The body of the table with this head, row by row. */
function rows(head: string): string[][] {
  const [, body = ''] = new RegExp(String.raw`^\| ${head} \|.*\n\|[ |-]*\n((?:\|.*\n)+)`, 'm').exec(page) ?? [];
  assert.notEqual(body, '', `the page has no table ${head}`);
  return body
    .trimEnd()
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const names = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('docs/errors.md', () => {
  test('has every kind of failure, whether it may pass, and its status', () => {
    assert.deepEqual(
      rows(String.raw`kind \| means`).map(([kind, , passes, status]) => [
        names(kind)[0],
        passes === 'yes',
        Number.parseInt(status ?? ''),
      ]),
      Object.entries(failureTable).map(([kind, { transient, status = NaN }]) => [kind, transient, status]),
    );
  });

  test('has every code of servers that is known, with its kind', () => {
    assert.deepEqual(
      rows(String.raw`kind \| codes and types`).flatMap(([kind, codes]) =>
        names(codes).map((code) => [code, names(kind)[0]]),
      ),
      [...serverCodes],
    );
  });

  test('has the kind of every status', () => {
    const spans = rows(String.raw`status \| kind`).flatMap(([statuses = '', kind]) =>
      [...statuses.matchAll(/(\d+)(?:–(\d+))?/g)].map(
        ([, from, to = from]) => [Number(from), Number(to), names(kind)[0]] as const,
      ),
    );
    for (let status = 100; status < 600; status += 1) {
      const fitting = spans.filter(([from, to]) => status >= from && status <= to);
      // The narrowest: what stands alone is not "another one".
      const [, , kind] = fitting.sort(([a, b], [c, d]) => b - a - (d - c))[0] ?? [];
      assert.equal(kind, kindOfStatus(status), String(status));
    }
  });
});
