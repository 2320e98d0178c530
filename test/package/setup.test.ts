import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packages = ['client', 'emulator', 'gateway'] as const;
const modules = ['node_modules', ...['turnwire', ...packages].map((name) => `packages/${name}/node_modules`)];

describe('a fresh copy of the repository, in a folder whose name has blanks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a fresh turnwire '));
  const node = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
      timeout: 170_000,
    });

  before(() => {
    const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0');
    for (const file of files) {
      // Listed and gone: deleted, and not committed yet.
      if (file === '' || !existsSync(join(root, file))) continue;
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      copyFileSync(join(root, file), join(folder, file));
    }
    // What npm ci would make, without its minute: the dependencies themselves are not what is tested here.
    for (const path of modules) {
      if (!existsSync(join(root, path))) continue;
      symlinkEach(join(root, path), join(folder, path));
    }
    rmSync(join(folder, 'node_modules', '@turnwire'), { recursive: true, force: true });
    mkdirSync(join(folder, 'node_modules', '@turnwire'));
    for (const name of packages)
      symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules', '@turnwire', name));
    rmSync(join(folder, 'node_modules', 'turnwire'), { force: true });
    symlinkSync(join(folder, 'packages', 'turnwire'), join(folder, 'node_modules', 'turnwire'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('the program says how to build it, before it is built', () => {
    const { status, stderr } = node(['packages/turnwire/bin/turnwire.js', 'demo']);
    assert.equal(status, 1);
    assert.match(stderr, /^[^\n]*npm run build[^\n]*\n$/);
  });

  const stamp = join(folder, 'node_modules', '.turnwire-lockfile');

  test('setup --demo builds what the demo needs, and prints its messages on standard error', () => {
    // The dependencies of the demo are enough: without npm, none could be installed.
    writeFileSync(stamp, `${readFileSync(stamp, 'utf8')} demo`);
    const setup = node(['scripts/setup.mjs', '--demo'], { PATH: '' });
    assert.equal(setup.status, 0, setup.stderr);
    assert.equal(setup.stdout, '');
    assert.match(setup.stderr, /^Building .*\n$/);
    assert.equal(existsSync(join(folder, 'packages', 'client', 'dist-test')), false);
    assert.equal(existsSync(join(folder, 'bench', 'dist')), false);
    // The demo itself is run from the packed packages.
    const example = join(folder, 'packages', 'turnwire', 'dist', 'examples', 'source-report');
    assert.deepEqual(readdirSync(example).toSorted(), ['agent.yaml', 'client.py', 'script.yaml']);
    const demo = node(['packages/turnwire/bin/turnwire.js', 'demo', '--rtt', 'none']);
    assert.equal(demo.status, 2);
    assert.match(demo.stderr, /--rtt/);
  });

  test('the demo installs at most 60 packages', () => {
    const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: true; devOptional?: true; optional?: true; link?: true }>;
    };
    // One of each native part is installed: that of the platform.
    const installed = Object.entries(locked).filter(
      ([path, { dev, devOptional, optional, link }]) =>
        path.includes('node_modules/') && !dev && !devOptional && !optional && !link,
    );
    assert(installed.length > 20 && installed.length <= 60, String(installed.length));
  });

  test('setup: the dependencies of the demo do not count as those of the rest', () => {
    // Without npm, what would be installed fails with its sentence.
    const { status, stderr } = node(['scripts/setup.mjs'], { PATH: '' });
    assert.equal(status, 1);
    assert.match(stderr, /^Installing dependencies .*\nnpm could not install/);
  });

  test('setup ends with the status of a failed build', (t) => {
    writeFileSync(stamp, readFileSync(stamp, 'utf8').replace(' demo', ''));
    const broken = join(folder, 'packages', 'client', 'src', 'broken.ts');
    writeFileSync(broken, "export const count: number = 'none';\n");
    t.after(() => rmSync(broken));
    const { status, stderr } = node(['scripts/setup.mjs']);
    assert.equal(status, 1);
    assert.match(stderr, /broken\.ts/);
    assert.match(stderr, /The build failed[^\n]*\n$/);
  });

  test('a test path that matches nothing gets one sentence and status 2', () => {
    const { status, stderr } = node(['scripts/test.mjs', 'no-such-test']);
    assert.equal(status, 2);
    assert.match(stderr, /^[^\n]*no-such-test[^\n]*\n$/);
  });

  // There is no old Node here: one that says it is old runs the same lines.
  for (const version of ['20.18.3', '18.20.8', '14.21.3']) {
    test(`Node ${version} is refused by one sentence`, () => {
      const preload = join(folder, 'old-node.cjs');
      const versions = `{ ...process.versions, node: '${version}' }`;
      writeFileSync(
        preload,
        `Object.defineProperty(process, 'versions', { value: ${versions} });
         Object.defineProperty(process, 'version', { value: 'v${version}' });`,
      );
      const { status, stdout, stderr } = node(['--require', preload, 'scripts/setup.mjs']);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^[^\n]*20\.19 or newer[^\n]*\n$/);
      assert(stderr.includes(`v${version}`));
    });
  }
});

/** A folder of links to what the other one has, one level deep: the folder itself can be changed without changing the other. */
function symlinkEach(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    // A copy, because the lockfile's stamp belongs to each of them.
    if (name === '.turnwire-lockfile') copyFileSync(join(from, name), join(to, name));
    else symlinkSync(join(from, name), join(to, name));
  }
}
