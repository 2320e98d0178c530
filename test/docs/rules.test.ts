// The rule book: docs/protocol.md and docs/faults.md against all that cites them.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pages, root, textOf } from './pages.js';
import { citedIn, read, rules, sources } from './rules.js';

/** N13 and N14 are not. */
const assigned = (id: string): boolean => !/^N1[34]$/.test(id);

const isTest = (path: string): boolean => /(?:^|\/)test\/.*\.ts$/.test(path) && !path.startsWith('test/docs/rules');

describe('rule book: ids', () => {
  test('each id is defined once', () => {
    const ids = rules.map(({ id }) => id);
    assert.ok(ids.length > 300, `only ${ids.length} rules were read`);
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
  });

  test('each id has an anchor with its name', () => {
    for (const { id, page } of rules) assert.ok(textOf(page).includes(`<a id="${id.toLowerCase()}"></a>**${id}**`), id);
  });

  test('each id that is cited anywhere is defined', () => {
    const known = new Set(rules.map(({ id }) => id));
    const unknown = sources.flatMap((path) =>
      [...citedIn(read(path))].filter((id) => !known.has(id)).map((id) => `${path}: ${id}`),
    );
    assert.deepEqual(unknown, []);
  });

  test('each link to a rule leads to its anchor', () => {
    const broken = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([\w/.]*)#([a-z]\d{1,3})\)/g)]
        .filter(([, file = '', id = '']) => {
          const target = file === '' ? page : `docs/${file.replace(/^.*\//, '')}`;
          return !rules.some((rule) => rule.page === target && rule.id.toLowerCase() === id);
        })
        .map(([link]) => `${page}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  test('a range counts as all its ids, and a text that only looks like an id does not count', () => {
    assert.deepEqual([...citedIn('// A1–A3, N2 and P4; %E0, V8, /A5, `a-z0-9A9z`')], ['A1', 'A2', 'A3', 'N2', 'P4']);
  });
});

describe('rule book: tests', () => {
  const cited = new Map<string, Set<string>>(sources.filter(isTest).map((path) => [path, citedIn(read(path))]));

  test('each row of faults.md has tests, or the reason why it has none', () => {
    const wrong = rules
      .filter(({ page, id }) => page === 'docs/faults.md' && assigned(id))
      .filter(({ tests, untested }) => tests.length > 0 === (untested !== undefined));
    assert.deepEqual(wrong, []);
  });

  test('each test that a row names exists, and cites the row', () => {
    const wrong = rules.flatMap(({ id, tests }) =>
      tests
        .filter((path) => !existsSync(join(root, path)) || !cited.get(path)?.has(id))
        .map((path) => `${id}: ${path}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('each rule is cited by a test, or says why by none', () => {
    const all = new Set([...cited.values()].flatMap((ids) => [...ids]));
    const wrong = rules
      .filter(({ id, untested }) => assigned(id) && all.has(id) === (untested !== undefined))
      .map(({ id, untested }) => (untested === undefined ? `${id}: no test and no reason` : `${id}: has a test now`));
    assert.deepEqual(wrong, []);
  });
});

describe('comments', () => {
  test('each page that a comment cites is in this repository', () => {
    const missing = sources
      .filter((path) => /\.(?:ts|mjs|sh)$/.test(path))
      .flatMap((path) =>
        read(path)
          .split('\n')
          .filter((line) => /^\s*(?:\/\/|\/?\*|#)/.test(line))
          .flatMap((line) => [...line.matchAll(/(?<![\w`/.*-])((?:docs\/)?[a-z][a-z-]*\.md)\b/g)])
          .map(([, page = '']) => page)
          .filter((page) => !['', 'docs'].some((folder) => existsSync(join(root, folder, page))))
          .map((page) => `${path}: ${page}`),
      );
    assert.deepEqual(missing, []);
  });
});
