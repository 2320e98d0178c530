import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, type GitOptions } from './git.js';

/** The largest new file that a snapshot includes, in bytes. */
const largestFile = 2 * 1024 * 1024;
const branch = 'refs/heads/snapshots';

/** The last snapshot that was begun. They run one after another, since they share an index. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Saves the present files of a git repository as a commit of another repository in the user's folder; the user's own repository is not changed. Ignored files
 * are left out, and a state that is saved already is not saved again. Outside of a repository nothing is saved.
 *
 * @param home the folder of turnwire in the user's home
 * @param why the message of the commit
 * @throws Error that says why the snapshot failed
 */
export function snapshot(options: GitOptions, home: string, why: string): Promise<void> {
  const next = last.then(() => take(options, home, why));
  last = next.catch(() => undefined);
  return next;
}

/** Packs the snapshots of a repository. */
export async function tidy(options: GitOptions, home: string): Promise<void> {
  const root = (await git(options, ['rev-parse', '--show-toplevel']))?.trim();
  if (root === undefined || !existsSync(folderFor(home, root))) return;
  await git(options, [`--git-dir=${folderFor(home, root)}`, 'gc', '--auto', '--quiet']);
}

async function take(options: GitOptions, home: string, why: string): Promise<void> {
  const root = (await git(options, ['rev-parse', '--show-toplevel']))?.trim();
  if (root === undefined) return;
  const shadow = folderFor(home, root);
  const run = async (...args: readonly string[]): Promise<string> => {
    const place = [`--git-dir=${shadow}`, `--work-tree=${root}`, '-c', 'core.autocrlf=false', '-c', 'core.bare=false'];
    const said = await git({ ...options, directory: root }, [...place, ...args]);
    if (said === undefined) throw new Error(`git ${args[0]} failed in ${shadow}`);
    return said;
  };
  if (!existsSync(join(shadow, 'HEAD'))) {
    await mkdir(shadow, { recursive: true, mode: 0o700 });
    if ((await git(options, ['init', '--quiet', '--bare', shadow])) === undefined)
      throw new Error(`git init failed in ${shadow}`);
  }
  const exclude = (await git({ ...options, directory: root }, ['rev-parse', '--git-path', 'info/exclude']))?.trim();
  const ignored = exclude === undefined ? '' : await readFile(join(root, exclude), 'utf8').catch(() => '');
  await mkdir(join(shadow, 'info'), { recursive: true });
  await writeFile(join(shadow, 'info', 'exclude'), ignored);
  const added = (await run('ls-files', '--others', '--exclude-standard', '-z')).split('\0').filter(Boolean);
  const large: string[] = [];
  for (const path of added) {
    const found = await stat(join(root, path)).catch(() => undefined);
    if (found !== undefined && found.size > largestFile)
      large.push(`/${path.replace(/[\\*?[\]!# ]/g, String.raw`\$&`)}`);
  }
  if (large.length > 0) await writeFile(join(shadow, 'info', 'exclude'), `${ignored}\n${large.join('\n')}\n`);
  await run('add', '--all');
  const tree = (await run('write-tree')).trim();
  const parent = (await git(options, [`--git-dir=${shadow}`, 'rev-parse', '--verify', '--quiet', branch]))?.trim();
  if (parent !== undefined && (await run('rev-parse', `${parent}^{tree}`)).trim() === tree) return;
  const name = ['-c', 'user.name=turnwire', '-c', 'user.email=turnwire@localhost'];
  const parents = parent === undefined ? [] : ['-p', parent];
  const said = await git(options, [`--git-dir=${shadow}`, ...name, 'commit-tree', tree, ...parents, '-m', why]);
  if (said === undefined) throw new Error(`git commit-tree failed in ${shadow}`);
  await run('update-ref', branch, said.trim());
}

/** The folder of the snapshots of a repository. */
function folderFor(home: string, root: string): string {
  return join(home, 'snapshots', createHash('sha256').update(root).digest('hex').slice(0, 16));
}
