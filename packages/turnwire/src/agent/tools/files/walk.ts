import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that are never searched: they are large, and contain no source of the project. */
const skipped: ReadonlySet<string> = new Set(['.git', 'node_modules']);

export interface Entry {
  place: string;
  name: string;
  kind: 'file' | 'directory' | 'link' | 'other';
  /** The level of the folder, counted from the one where the walk began, whose entries have 0. */
  depth: number;
}

/** All entries of a folder, in an order that is the same on every system. */
export async function entriesOf(place: string, depth = 0): Promise<Entry[]> {
  const found = await readdir(place, { withFileTypes: true });
  return found
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => ({ place: join(place, entry.name), name: entry.name, kind: kindOf(entry), depth }));
}

export interface WalkOptions {
  /** The most levels of folders. @default all */
  levels?: number;
  /** Paths that are left out, with everything below them. @default none */
  ignored?: ReadonlySet<string>;
}

/** All entries below a folder, each folder before its entries. Links are listed, but not followed; folders that cannot be read are skipped. */
export async function* walk(
  place: string,
  signal: AbortSignal,
  { levels = Infinity, ignored = new Set() }: WalkOptions = {},
  depth = 0,
): AsyncGenerator<Entry> {
  signal.throwIfAborted();
  // An error fails the walk only for the folder that was asked for.
  const entries = depth === 0 ? await entriesOf(place) : await entriesOf(place, depth).catch(() => []);
  for (const entry of entries) {
    if (skipped.has(entry.name) || ignored.has(entry.place)) continue;
    yield entry;
    if (entry.kind === 'directory' && depth + 1 < levels)
      yield* walk(entry.place, signal, { levels, ignored }, depth + 1);
  }
}

function kindOf(entry: Dirent): Entry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
