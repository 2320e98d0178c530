import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { matchesPath } from '../../../dist/agent/base/glob.js';

/** Path, pattern, whether it matches; as Node documents `path.matchesGlob`, and as minimatch does. */
const table: readonly (readonly [string, string, boolean])[] = [
  ['src/a.ts', 'src/**/*.ts', true],
  ['src/x/y/a.ts', 'src/**/*.ts', true],
  ['src/a.ts', 'src/*.ts', true],
  ['src/x/a.ts', 'src/*.ts', false],
  ['docs/a/b', 'docs/*', false],
  ['docs/a/b', 'docs/**', true],
  ['a.ts', '*.{ts,js}', true],
  ['a.css', '*.{ts,js}', false],
  ['b.ts', '[ab].ts', true],
  ['c.ts', '[!ab].ts', true],
  ['ab.ts', '?.ts', false],
  ['.env', '*', false],
  ['.env', '.*', true],
  ['#x', '#*', true],
  ['!x', '!x', true],
];

describe('paths: patterns mean what path.matchesGlob means', () => {
  // The judge, where this Node has it.
  const native: Partial<Pick<typeof path, 'matchesGlob'>> = path;
  for (const [name, pattern, expected] of table) {
    test(`${pattern} and ${name}`, () => {
      assert.equal(matchesPath(name, pattern), expected);
      assert.equal(native.matchesGlob?.(name, pattern) ?? expected, expected);
    });
  }

  test('hidden names match with dot: true, as rules need', () => {
    assert.equal(matchesPath('a/.env', '**', { dot: true }), true);
  });
});
