// Installs npm packages below .cache/, in a folder of their own: packages that only some tests need, and that every user of the workspace would have to
// install otherwise.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs the missing ones of these packages, and gives their folder. Ends the process where that fails. */
export function installBelowCache(name, packages) {
  const folder = join(root, '.cache', name);
  const stamp = join(folder, 'installed');
  const wanted = packages.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  console.log(`Installing ${wanted} below .cache/ ...`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', ...packages];
  const options = { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] };
  // npm sets this variable for its scripts to its own path. Running that file with this Node needs no shell on any platform.
  const cli = process.env['npm_execpath'];
  const { status } = cli
    ? spawnSync(process.execPath, [cli, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`${wanted} could not be installed: this command needs the network the first time.`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
  return folder;
}
