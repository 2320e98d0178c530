import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { readText } from '../tools/files/text-file.js';
import { walk } from '../tools/files/walk.js';
import { withPath } from '../tools/files/workspace.js';

/** The largest prompt file, in bytes. */
const promptFileLimit = 256 * 1024;
/** The most files whose paths are listed. */
const mostBelow = 100;

/** A file whose text is part of the prompt. */
export interface PromptFile {
  /** The name of the file in the agent file. */
  name: string;
  /** The absolute path of the file that was found. */
  path: string;
  content: string;
}

/**
 * Finds a prompt file: in a folder, in the nearest folder above that has it, or in the user's home. undefined where there is none.
 *
 * @throws Error that names a file that cannot be read
 */
export async function promptFile(directory: string, file: string): Promise<PromptFile | undefined> {
  const place = findUpwards(directory, file);
  if (place === undefined) return undefined;
  const { text, cut } = await withPath(file, () => readText(place, file, promptFileLimit));
  if (cut > 0) throw new Error(`${file}, of add_prompt_files, is larger than 256 KiB`);
  return { name: file, path: place, content: text.trim() };
}

/** The text of a prompt file, as the model is given it. */
export function promptFileText({ name, content }: PromptFile): string {
  return `From ${name}:\n\n${content}`;
}

/** The paths of files with these names below a folder, for the model, which reads one when it works there; empty for none. */
export async function promptFilesBelow(directory: string, names: readonly string[], depth: number): Promise<string> {
  if (depth === 0) return '';
  const wanted = new Set(names.map((name) => basename(name)));
  const found: string[] = [];
  const { signal } = new AbortController();
  for await (const { place, name, kind, depth: at } of walk(directory, signal, { levels: depth + 1 })) {
    if (kind === 'file' && at > 0 && wanted.has(name)) found.push(`- ${relative(directory, place)}`);
    if (found.length === mostBelow) break;
  }
  return found.length === 0 ? '' : `Before you work in one of these folders, read its file:\n${found.join('\n')}`;
}

function findUpwards(directory: string, file: string): string | undefined {
  const place = resolve(directory, file);
  if (existsSync(place)) return place;
  if (isAbsolute(file)) return undefined;
  const parent = dirname(directory);
  if (parent !== directory) return findUpwards(parent, file);
  const atHome = resolve(homedir(), file);
  return existsSync(atHome) ? atHome : undefined;
}
