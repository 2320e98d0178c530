import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../dist/index.js';

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

describe('useEmulator finds the hooks', () => {
  const bundle = join(root, 'packages', 'emulator', 'bundle', 'index.cjs');
  const use = `const { useEmulator } = require(${JSON.stringify(bundle)});
    const emulator = useEmulator();
    const check = () => console.log(process.env.OPENAI_BASE_URL === emulator.url);`;

  test('of node:test, in a file that is run without --test', () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const program = `const { test } = require('node:test'); ${use} test('runs', check);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000, env });
    assert.match(stdout, /^true$/m, stderr);
    assert.match(stdout, /pass 1$/m);
  });

  test('of Mocha, which are globals named before and after', () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const program = `const hooks = {};
      globalThis.before = (run) => { hooks.before = run; };
      globalThis.after = (run) => { hooks.after = run; };
      ${use}
      hooks.before().then(check).then(hooks.after);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000, env });
    assert.equal(stdout, 'true\n', stderr);
  });

  test('of no runner, and says which to give', () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, ['-e', use], { encoding: 'utf8', timeout: 60_000, env });
    assert.equal(status, 1);
    assert.match(stderr, /useEmulator\(\{ hooks: \{ beforeAll, afterAll \} \}\)/);
  });
});

/** The folder of Vitest and Jest, which `npm run test:extra` installs because they are large. */
const extra = join(root, '.cache', 'extra', 'node_modules');
const RUNNERS = [
  ['vitest', 'node_modules/vitest/vitest.mjs', ['run', '--root', '.']],
  ['jest', 'node_modules/jest/bin/jest.js', ['--rootDir', '.']],
  ['jest-jsdom', 'node_modules/jest/bin/jest.js', ['--rootDir', '.', '--env', join(extra, 'jest-environment-jsdom')]],
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

/** The examples for test runners of other languages, which use the control API. Each runs if its program is installed. */
const OTHER_LANGUAGES = [
  ['pytest', 'pytest', ['-q', '-p', 'no:cacheprovider']],
  ['go', 'go', ['test', './...']],
] as const;

for (const [folder, program, args] of OTHER_LANGUAGES) {
  const { status } = spawnSync(program, [program === 'go' ? 'version' : '--version'], { timeout: 30_000 });
  test(
    `the example for ${folder} passes`,
    { skip: status !== 0 && `${program} is not installed`, timeout: 120_000 },
    async (t) => {
      const emulator = await startEmulator();
      t.after(() => emulator.close());
      const env = { ...process.env, EMULATOR: `http://127.0.0.1:${emulator.port}`, PYTHONDONTWRITEBYTECODE: '1' };
      const child = spawn(program, args, { cwd: join(examples, folder), env, stdio: ['ignore', 'pipe', 'pipe'] });
      t.after(() => child.kill('SIGKILL'));
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
      const [exit] = await once(child, 'close');
      assert.equal(exit, 0, said);
      assert.equal(emulator.journal.turns().at(-1)?.outcome, 'completed');
    },
  );
}
