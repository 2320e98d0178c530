import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../base/abort.js';
import { readSkillFile, type Skill } from './skill-file.js';

/** The deepest level of folders that is searched. */
const deepest = 5;
/** The most skills that are read. */
const mostSkills = 500;

/**
 * Finds the skills for a folder, as docker-agent does: those of the user first, then those of the project from the top of its repository down. Of two with
 * one name, the later one counts.
 *
 * @param home the home folder of the user; undefined: there is none
 * @param warn called for each file that is no skill
 */
export async function findSkills(
  directory: string,
  home: string | undefined,
  warn: (message: string) => void,
): Promise<ReadonlyMap<string, Skill>> {
  const found = new Map<string, Skill>();
  const files: string[] = [];
  if (home !== undefined) {
    files.push(...(await within(join(home, '.codex', 'skills'), deepest)));
    files.push(...(await within(join(home, '.claude', 'skills'), 1)));
    files.push(...(await within(join(home, '.agents', 'skills'), deepest)));
  }
  files.push(...(await within(join(directory, '.claude', 'skills'), 1)));
  for (const folder of fromRepository(directory)) files.push(...(await within(join(folder, '.agents', 'skills'), 1)));
  for (const file of files.slice(0, mostSkills)) {
    try {
      const skill = await readSkillFile(file);
      found.set(skill.name, skill);
    } catch (error) {
      warn(messageOf(error));
    }
  }
  return found;
}

/** The SKILL.md files in a folder, up to a depth. */
async function within(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const place = join(folder, entry.name);
    // A skill is often a link to a folder elsewhere.
    if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const file = join(place, 'SKILL.md');
    if (existsSync(file)) files.push(file);
    if (depth > 1 && entry.isDirectory()) files.push(...(await within(place, depth - 1)));
  }
  return files;
}

/** The folders from the top of the repository down to this one; outside of a repository, this one alone. */
function fromRepository(directory: string): string[] {
  const folders: string[] = [];
  for (let folder = directory; ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (existsSync(join(folder, '.git'))) return folders;
    if (dirname(folder) === folder) return [directory];
  }
}
