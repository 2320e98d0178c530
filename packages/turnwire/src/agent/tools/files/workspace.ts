import { realpathSync, statSync } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { PathArguments } from '../tool.js';

/**
 * The folders that tools can reach. Without lists this is the working directory: neither `..` nor an absolute path nor a symbolic link leads out of it,
 * except where the user has granted reading elsewhere.
 */
export interface Workspace {
  /** The working directory as an absolute path without symbolic links. */
  readonly root: string;
  /**
   * The absolute path that a path leads to, with links followed; the end of it need not exist.
   *
   * @param mayLeave true where a file outside of the working directory may be read.
   * @default none may
   * @throws Error for a path that leads out, or ends in a link to nothing: to write there would write to the link's target
   */
  resolve(path: string, mayLeave?: (place: string) => boolean): Promise<string>;
  /** The folder outside of the working directory that has to be granted before a path can be read; undefined: none, or a grant would not help. */
  beyond(path: string): Promise<string | undefined>;
  /** The paths that the file closes, with everything below them. */
  closed(): Promise<ReadonlySet<string>>;
  /** Describes arguments of a tool that are paths in this workspace. */
  paths(names: readonly string[], options?: { deep: boolean }): PathArguments;
  /** The name of a path for the model: relative, with `/`; `.` for the root; absolute outside of the working directory. */
  name(place: string): string;
}

/** `allow_list` and `deny_list` of the file. */
export interface Lists {
  /** The only folders that can be reached, with everything below them. @default the working directory */
  allow?: readonly string[] | undefined;
  /** Folders that cannot be reached. @default none */
  deny?: readonly string[] | undefined;
}

/** @throws Error if the directory does not exist. */
export function openWorkspace(directory: string, { allow = [], deny = [] }: Lists = {}): Workspace {
  const root = realpathSync(directory);
  const insensitive = ignoresCase(root);
  const locate = (path: string): Promise<string> => {
    if (path.includes('\0')) throw new Error('a path cannot hold a NUL character');
    return follow(absolute(root, path));
  };
  /** Resolved anew each time, since a link may lead elsewhere by now. */
  const closed = async (): Promise<ReadonlySet<string>> =>
    new Set((await Promise.all(deny.map(async (entry) => [absolute(root, entry), await locate(entry)]))).flat());
  const isClosed = async (path: string, place: string): Promise<boolean> => {
    const places = [...(await closed())];
    return [place, absolute(root, path)].some((each) => places.some((folder) => holds(folder, each, insensitive)));
  };
  const workspace: Workspace = {
    root,
    async resolve(path, mayLeave) {
      const place = await locate(path);
      if (deny.length > 0 && (await isClosed(path, place)))
        throw new Error(`${path} is not to be reached: the "deny_list" of the file names it, or a folder above it`);
      if (allow.length > 0) {
        const open = await Promise.all(allow.map(locate));
        if (open.some((folder) => holds(folder, place))) return place;
        throw new Error(`${path} is outside of what the "allow_list" of the file names: ${allow.join(', ')}`);
      }
      if (holds(root, place) || mayLeave?.(place) === true) return place;
      throw new Error(`${path} is outside the working directory; use paths relative to it`);
    },
    async beyond(path) {
      if (allow.length > 0) return undefined;
      const place = await locate(path);
      if (holds(root, place) || (deny.length > 0 && (await isClosed(path, place)))) return undefined;
      return (await isFolder(place)) ? place : dirname(place);
    },
    closed,
    paths: (names, { deep } = { deep: false }) => ({
      names,
      root,
      place: async (path) => locate(path),
      deep,
    }),
    name(place) {
      const name = relative(root, place).split(sep).join('/') || '.';
      return name === '..' || name.startsWith('../') || isAbsolute(name) ? place : name;
    },
  };
  return workspace;
}

/** The folders outside of the working directory that must be granted before these paths can be read. A path that leads nowhere needs none. */
export async function beyond(workspace: Workspace, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => workspace.beyond(path).catch(() => undefined)));
  return [...new Set(found.filter((folder) => folder !== undefined))];
}

/** The absolute path by the text alone; `~` stands for the home folder. */
export function absolute(root: string, path: string): string {
  return /^~(?:[/\\]|$)/.test(path) ? join(homedir(), path.slice(1)) : resolve(root, path);
}

/** True where a path is a folder or something in it. */
export function holds(folder: string, place: string, insensitive = false): boolean {
  const [outer, inner] = insensitive ? [folded(folder), folded(place)] : [folder, place];
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/** The text by which names are compared on file systems where case and composed accents make no difference. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

async function isFolder(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isDirectory();
  } catch {
    return false;
  }
}

/**
 * True where the file system ignores case: found by looking for the folder's name in the other case; for a name without letters, the usual answer of the
 * system.
 */
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

/** The real path of the part that exists, followed by the rest. */
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

/** Runs work on `path`. An error of the file system becomes a sentence that names the path as the model wrote it. */
export async function withPath<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const reason = reasons[String(codeOf(error))];
    throw reason === undefined ? error : new Error(`${path} ${reason}`, { cause: error });
  }
}
