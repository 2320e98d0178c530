import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measured } from '../client/exercise.js';

/** The size of an installation of @turnwire/client: of its tarball, and the number of packages. */
export function packageSize(root: string): Measured {
  const folder = join(root, 'packages', 'client');
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    }),
  ) as { size: number }[];
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string> } | undefined>;
  };
  const installed = new Set(['@turnwire/client']);
  const visit = (at: string): void => {
    for (const name of Object.keys(lock.packages[at]?.dependencies ?? {})) {
      if (installed.has(name)) continue;
      installed.add(name);
      visit(`node_modules/${name}`);
    }
  };
  visit('packages/client');
  return { packedKb: (packed?.size ?? NaN) / 1000, packages: installed.size };
}
