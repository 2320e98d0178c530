import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Problem } from './file/problem.js';
import type { YamlFile } from './file/yaml-file.js';

/** The largest file, in bytes. */
const limit = 256 * 1024;

/** Reads the files of `instruction_file`. Gives their texts by agent, and the problems, each with its place. */
export async function readInstructionFiles(
  file: YamlFile,
  agents: Readonly<Record<string, unknown>>,
): Promise<{ texts: ReadonlyMap<string, string>; problems: Problem[] }> {
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, agent] of Object.entries(agents)) {
    const written: unknown =
      typeof agent === 'object' && agent !== null && Object.hasOwn(agent, 'instruction_file')
        ? Reflect.get(agent, 'instruction_file')
        : undefined;
    const paths = (Array.isArray(written) ? written : [written]).filter(
      (path): path is string => typeof path === 'string' && path !== '',
    );
    const parts: string[] = [];
    for (const path of paths) {
      try {
        parts.push((await readInstruction(resolve(dirname(file.name), path))).trimEnd());
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        problems.push(file.problem(`${path} cannot be read: ${reason}`, ['agents', name, 'instruction_file']));
      }
    }
    if (parts.length > 0) texts.set(name, parts.join('\n\n'));
  }
  return { texts, problems };
}

async function readInstruction(place: string): Promise<string> {
  // Checked before opening: opening a pipe without a writer never returns.
  const found = await stat(place);
  if (!found.isFile()) throw new Error('it is no regular file');
  if (found.size > limit) throw new Error('it is larger than 256 KiB');
  return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(place));
}
