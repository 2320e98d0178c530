import { realpathSync, statSync } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep, basename } from 'node:path';
import type { PathArguments } from './tool.js';

/** The folder that tools work in: no path leads out of it, neither by `..` nor as an absolute path nor through symbolic links. */
export interface Workspace {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /**
   * Where a path leads, links followed; what does not exist yet included.
   *
   * @throws Error for a path that leads out, or ends in a link to nothing: to write there would write wherever it points.
   */
  resolve(path: string): Promise<string>;
  /** Arguments of a tool that are paths in it. */
  paths(names: readonly string[], options?: { deep: boolean }): PathArguments;
  /** How the model is told of a place: relative, with `/`; `.` for the root. */
  name(place: string): string;
}

/** @throws Error if the directory does not exist. */
export function openWorkspace(directory: string): Workspace {
  const root = realpathSync(directory);
  const insensitive = ignoresCase(root);
  const workspace: Workspace = {
    root,
    async resolve(path) {
      if (path.includes('\0')) throw new Error('a path cannot hold a NUL character');
      const place = await follow(resolve(root, path));
      if (place !== root && !place.startsWith(root.endsWith(sep) ? root : root + sep)) {
        throw new Error(`${path} is outside the working directory; use paths relative to it`);
      }
      return place;
    },
    paths: (names, { deep } = { deep: false }) => ({
      names,
      root,
      place: (path) => workspace.resolve(path),
      insensitive,
      deep,
    }),
    name: (place) => relative(root, place).split(sep).join('/') || '.',
  };
  return workspace;
}

/** Whether a folder's name in other letters means the same folder; by the system's habit where the name has no letters, or cannot be looked at. */
function ignoresCase(root: string): boolean {
  const name = basename(root);
  const other = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
  const habit = process.platform === 'win32' || process.platform === 'darwin';
  if (other === name) return habit;
  try {
    const [here, there] = [root, join(dirname(root), other)].map((place) =>
      statSync(place, { bigint: true, throwIfNoEntry: false }),
    );
    return there !== undefined && there.ino === here?.ino && there.dev === here.dev;
  } catch {
    return habit;
  }
}

/** The real path of the part that exists, with the rest appended. */
async function follow(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  if (await isLink(path)) throw new Error(`${basename(path)} is a symbolic link to something that does not exist`);
  return join(await follow(dirname(path)), basename(path));
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a directory, or passes through a file',
  EISDIR: 'is a directory',
  EACCES: 'may not be accessed',
  EPERM: 'may not be accessed',
  EEXIST: 'already exists, and is no directory',
  ENOTEMPTY: 'is not empty',
  ENOSPC: 'cannot be written: the disk is full',
  EROFS: 'cannot be written: the file system is read-only',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'is too long a name',
};

/** Does something with `path`; a failure of the file system becomes a sentence that names it as the model did. */
export async function withPath<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const reason = reasons[String(codeOf(error))];
    throw reason === undefined ? error : new Error(`${path} ${reason}`, { cause: error });
  }
}
