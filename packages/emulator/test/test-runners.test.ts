import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const examples = join(root, 'examples', 'testing');

function run(folder: string, args: readonly string[]): void {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: join(examples, folder),
    encoding: 'utf8',
    timeout: 60_000,
    env,
  });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

test('the example for node:test passes', () => run('node-test', ['--test', 'weather.test.js']));

/** Vitest and Jest are large, and not installed with this repository: `npm run test:extra` puts them where this looks for them. */
const RUNNERS = [
  ['vitest', 'node_modules/vitest/vitest.mjs', ['run', '--root', '.']],
  ['jest', 'node_modules/jest/bin/jest.js', ['--rootDir', '.']],
] as const;

for (const [name, file, args] of RUNNERS) {
  const bin = join(root, '.cache', 'extra', file);
  test(
    `the example for ${name} passes`,
    { skip: !existsSync(bin) && `${name} is not installed; npm run test:extra does that` },
    () => {
      run(name, [bin, ...args]);
    },
  );
}
