// Every row of the fault catalogue that concerns a client is carried by a test, or is named here with the reason why not.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

/** The groups of the catalogue, with the number of their rows. */
const groups = { A: 15, B: 9, C: 11, D: 17, E: 4, F: 13, G: 6, H: 10, I: 7, J: 4, K: 5, M: 5 };
const single = [
  'O4',
  'O5',
  'N1',
  'N2',
  'N3',
  'N5',
  'N7',
  'N8',
  'N10',
  'N17',
  'N19',
  'N20',
  ...[1, 2, 3, 4, 5, 7, 8, 9, 16, 17].map((row) => `Q${row}`),
];
const rows = [
  ...Object.entries(groups).flatMap(([group, count]) =>
    Array.from({ length: count }, (_, index) => `${group}${index + 1}`),
  ),
  ...single,
];

/** Rows without a test of the client's, and why. */
const without: Readonly<Record<string, string>> = {
  C10: 'the agent keeps what is complete: packages/turnwire/test/agent',
  D10: 'the agent pairs its calls; the engine never edits the input',
  J4: 'a rule for the tests themselves',
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const tests = ['test/faults', 'packages/client/test']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.test.ts') && path !== 'rows.test.ts')
      .map((path) => join(root, folder, path)),
  )
  .map((path) => readFileSync(path, 'utf8'));

/** In the first line of a file, which says what it is about, or in the name of a test. */
function carried(row: string): boolean {
  const name = new RegExp(`(^// [^\\n]*|['\`][^'\`\\n]*)\\b${row}\\b`);
  const range = (source: string): boolean =>
    [...(source.split('\n')[0] ?? '').matchAll(/\b([A-Z])(\d+)–[A-Z]?(\d+)\b/g)].some(
      ([, group, from, to]) =>
        row.startsWith(group ?? '-') && Number(row.slice(1)) >= Number(from) && Number(row.slice(1)) <= Number(to),
    );
  return tests.some((source) => name.test(source) || range(source));
}

for (const row of rows) {
  test(`${row} ${row in without ? `has none: ${without[row]}` : 'has a test'}`, () => {
    assert.equal(carried(row), !(row in without), row in without ? `${row} has a test: take it off the list` : row);
  });
}
