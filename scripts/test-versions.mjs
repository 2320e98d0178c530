// Runs the suite on the other supported lines of Node. npm's `node` package carries the binaries; it is installed below .cache/
// and not as a dependency of the workspace, where it would shadow the Node of every npm script.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const failed = [];
for (const major of ['22', '24']) {
  const node = install(major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n== the suite on Node ${version}`);
  const { status } = spawnSync(node, [join(root, 'scripts', 'test.mjs'), ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) failed.push(version);
}
if (failed.length > 0) {
  console.error(`\nThe suite failed on ${failed.join(' and ')}.`);
  process.exit(1);
}

function install(major) {
  const folder = join(root, '.cache', `node-${major}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    console.log(`Installing Node ${major} below .cache/ (npm's "node" package) ...`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', `node@${major}`];
    const cli = process.env['npm_execpath'];
    const { status } = cli
      ? spawnSync(process.execPath, [cli, ...args], { cwd: folder, stdio: 'inherit' })
      : spawnSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
    if (status !== 0 || !existsSync(binary)) {
      console.error(`Node ${major} could not be installed: this command needs the network the first time.`);
      process.exit(1);
    }
  }
  return binary;
}
