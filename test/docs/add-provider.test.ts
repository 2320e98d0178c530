// "How to add a provider" and "How to add an option of the command line" of CONTRIBUTING.md, followed to the letter in a copy of the packages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './pages.js';
import { compile, copyOf, follow, load, stepsOf } from './recipe.js';

test('how to add a provider and an option: after their steps both are known, in the client and at the command line', async (t) => {
  const folder = copyOf(t, ['client', 'turnwire'], ['src', 'package.json', 'tsconfig.json']);
  const provider = stepsOf('How to add a provider');
  const option = stepsOf('How to add an option of the command line');
  assert.deepEqual([provider.length, option.length], [2, 3]);
  for (const step of [...provider, ...option]) follow(folder, step);
  // Of the client the one file, and the tools without their references: the other packages are those of the repository.
  const compilerOptions = { rootDir: 'src', outDir: 'dist', composite: false, declaration: false };
  for (const [name, files] of [
    ['client', { files: ['src/protocol/limits.ts'] }],
    ['turnwire', { include: ['src'] }],
  ] as const)
    writeFileSync(
      join(folder, 'packages', name, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, ...files }),
    );
  const libraries = join('packages', 'turnwire', 'node_modules');
  if (existsSync(join(root, libraries))) symlinkSync(join(root, libraries), join(folder, libraries), 'junction');
  assert.equal(compile(folder, 'client'), '');
  assert.equal(compile(folder, 'turnwire'), '');

  const { limitsOf, maxAgeOf } = (await load(folder, 'client/dist/protocol/limits.js')) as {
    limitsOf: (host: string) => { ageLimitMs: number; lanes: unknown };
    maxAgeOf: (host: string, idleMs: number) => number;
  };
  const { ageLimitMs, lanes } = limitsOf('api.example.com');
  assert.deepEqual([ageLimitMs, lanes], [600_000, undefined]);
  assert.equal(maxAgeOf('api.example.com', 60_000), 540_000);

  const sessions = join(folder, 'home', 'sessions');
  mkdirSync(sessions, { recursive: true });
  const env = { ...process.env, TURNWIRE_HOME: join(folder, 'home'), EXAMPLE_API_KEY: 'sk-example' };
  const turnwire = (...argv: string[]) => {
    const entry = join(folder, 'packages', 'turnwire', 'dist', 'cli', 'process', 'process.js');
    return spawnSync(process.execPath, [entry, ...argv], { encoding: 'utf8', env, cwd: folder });
  };
  writeFileSync(join(folder, 'agent.yaml'), 'agents:\n  root:\n    model: example/some\n');
  const understood = turnwire('config', 'agent.yaml');
  assert.match(understood.stdout, /https:\/\/api\.example\.com\/v1/, understood.stderr);
  assert.match(understood.stdout, /EXAMPLE_API_KEY/);

  for (const day of ['20260101', '20260102'])
    writeFileSync(
      join(sessions, `${day}-000000-00000000.jsonl`),
      [
        { turnwire: 'session', version: 1, id: `${day}-000000-00000000`, created: '', file: 'a.yaml', agent: 'root' },
        { kind: 'items', items: [{ role: 'user', content: 'Go.' }] },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
  const listed = (...argv: string[]): unknown[] =>
    JSON.parse(turnwire('sessions', '--json', ...argv).stdout) as unknown[];
  assert.deepEqual([listed().length, listed('--newest', '1').length], [2, 1]);
  assert.equal(turnwire('sessions', '--newest', '0').status, 2);
});
