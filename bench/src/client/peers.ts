import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the peers by the lockfile of the bench, if they are missing. The project itself does not depend on them. */
export function installPeers(folder: string, say: (line: string) => void): void {
  const stamp = join(folder, 'node_modules', '.turnwire-lockfile');
  const lockfile = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) return;
  say('Installing the peers (npm ci in bench/) ...');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm sets this variable for its scripts to its own path.
  const cli = process.env['npm_execpath'];
  const { status } =
    cli !== undefined && /\.c?js$/.test(cli)
      ? spawnSync(process.execPath, [cli, ...args], { cwd: folder, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status !== 0) throw new Error('npm could not install the peers: the first run needs the network');
  writeFileSync(stamp, lockfile);
}

/** The versions of the installed peers. */
export function peerVersions(folder: string): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies;
}
