// The recipes of CONTRIBUTING.md, followed to the letter in a copy of the packages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, textOf } from './pages.js';
import type { TestContext } from 'node:test';

export interface Step {
  file: string;
  /** The line that is in the file, and what goes before and after it. */
  line: string;
  before: string[];
  after: string[];
  /** The line is replaced by what goes after it. */
  replaced: boolean;
}

/** The steps under a heading of CONTRIBUTING.md that show a change: a `diff` whose first line is the file. */
export function stepsOf(heading: string): Step[] {
  const [, section = ''] = textOf('CONTRIBUTING.md').split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^( *)```diff\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = '', block = '']) => {
      const [file = '', ...lines] = block
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(indent.length));
      const at = lines.findIndex((line) => !line.startsWith('+'));
      const added = (from: number, to?: number): string[] => lines.slice(from, to).map((line) => line.slice(1));
      const line = lines[at] ?? '';
      return {
        file,
        line: line.slice(1),
        before: added(0, at),
        after: added(at + 1),
        replaced: line.startsWith('-'),
      };
    },
  );
}

/** A copy of these packages, inside the repository, because that is where their dependencies can be resolved from. */
export function copyOf(t: TestContext, names: readonly string[], parts: readonly string[]): string {
  mkdirSync(join(root, 'dist-test'), { recursive: true });
  const folder = mkdtempSync(join(root, 'dist-test', 'recipe-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  for (const name of names)
    for (const part of parts)
      cpSync(join(root, 'packages', name, part), join(folder, 'packages', name, part), { recursive: true });
  return folder;
}

export function follow(folder: string, { file, line, before, after, replaced }: Step): void {
  const path = join(folder, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.indexOf(line);
  assert.ok(at !== -1 && !lines.includes(line, at + 1), `${file} has once: ${line}`);
  lines.splice(at, 1, ...before, ...(replaced ? [] : [line]), ...after);
  writeFileSync(path, lines.join('\n'));
}

/** The errors of the compiler for a package, or for single files of it; empty for none. */
export function compile(folder: string, name: string, ...more: string[]): string {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', join(folder, 'packages', name), ...more], {
    encoding: 'utf8',
  });
  return stdout;
}

export function load(folder: string, path: string): Promise<unknown> {
  return import(pathToFileURL(join(folder, 'packages', path)).href);
}
