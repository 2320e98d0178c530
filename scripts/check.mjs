// Runs all checks and prints one line for each, also after one has failed. `--static` leaves out the tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
const packages = ['packages/client', 'packages/emulator', 'packages/gateway', 'packages/turnwire'];

const checks = [
  ['format', bin('oxfmt'), ['--check', '.']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  // setup.mjs has just built everything with tsc -b, which is the type check.
  ['unused', bin('knip'), ['--no-progress']],
  ...packages.map((folder) => [`publint ${folder}`, bin('publint'), ['--strict', folder]]),
  ...packages.map((folder) => [
    `exports ${folder}`,
    bin('attw'),
    ['--pack', folder, '--profile', 'node16', '--no-emoji'],
  ]),
  ...(process.argv.includes('--static') ? [] : [['tests', process.execPath, ['scripts/test.mjs']]]),
];

const failed = [];
for (const [name, command, args] of checks) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${String(name)}`);
  if (status !== 0) {
    failed.push(name);
    console.log(error?.message ?? stdout + stderr);
  }
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`);
  process.exit(1);
}
