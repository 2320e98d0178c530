// Runs the suite on the other supported lines of Node. The binaries come from npm's package `node`. It is installed below .cache/, since as a dependency of
// the workspace it would replace the Node of every npm script.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from '../install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const current = process.versions.node.split('.')[0];
const failed = [];
for (const major of ['20', '22', '24', '26'].filter((each) => each !== current)) {
  const bin = join(installBelowCache(`node-${major}`, [`node@${major}`]), 'node_modules', 'node', 'bin');
  const node = join(bin, process.platform === 'win32' ? 'node.exe' : 'node');
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
