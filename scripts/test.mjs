// Runs the compiled tests with node:test. The list is made of the sources, so that a compiled test without a source does not run. Files are passed one by
// one: `node --test DIR` works on Node 20 only, and globs only on newer ones.
//
//   npm test                      all of them
//   npm test -- pool sse          those whose path contains "pool" or "sse"
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const suites = [
  ['packages/client/test', 'packages/client/dist-test'],
  ['packages/emulator/test', 'packages/emulator/dist-test'],
  ['packages/gateway/test', 'packages/gateway/dist-test'],
  ['packages/turnwire/test', 'packages/turnwire/dist-test'],
  ['bench/test', 'bench/dist-test'],
  ['test', 'dist-test'],
];
const options = process.argv.slice(2);
// The longest run of a file; `--file-timeout-ms=N` sets another one, for tests with large programs.
const timeout = options.find((option) => option.startsWith('--file-timeout-ms='))?.split('=')[1] ?? '180000';
const wanted = options.filter((option) => !option.startsWith('--'));
const files = suites
  .flatMap(([from, to]) => testsBelow(join(root, from)).map((path) => join(root, to, path.replace(/\.ts$/, '.js'))))
  .filter(
    (file) => wanted.length === 0 || wanted.some((word) => relative(root, file).split(sep).join('/').includes(word)),
  );

if (files.length === 0) {
  console.error(`No test matches ${wanted.join(', ')}. Give a part of a path, as in "npm test -- pool".`);
  process.exit(2);
}
// Test files wait for sockets and processes more than they compute: Node's default, one process fewer than cores, would leave cores idle.
const concurrency = availableParallelism() + 1;
// A test that hangs fails by name, and does not block the others for ever.
const result = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', `--test-timeout=${timeout}`, `--test-concurrency=${concurrency}`, ...files],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
process.exit(result.status ?? 1);

function testsBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.test.ts'))
    .sort();
}
