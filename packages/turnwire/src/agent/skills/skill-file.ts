import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { readText } from '../tools/files/text-file.js';

/** The largest SKILL.md, in bytes. */
const fileLimit = 256 * 1024;

/** Instructions that the model reads when it needs them. */
export interface Skill {
  name: string;
  /** Tells the model when to use it. */
  description: string;
  instructions: string;
  /** True for a skill that is followed in a conversation of its own. */
  fork: boolean;
  /** Tools that the skill was written for. */
  allowedTools: readonly string[];
  /** The folder of the skill's other files; undefined for a skill that is not on the disk. */
  folder: string | undefined;
  /** The files of a skill from an address, by their paths. @default none, or files on the disk */
  files?: ReadonlyMap<string, string>;
}

const head = z.looseObject({
  name: z.string().optional(),
  description: z.string(),
  context: z.string().optional(),
  'allowed-tools': z.union([z.string(), z.array(z.string())]).optional(),
});

/**
 * Reads a SKILL.md: a YAML head with `name` and `description`, then Markdown.
 *
 * @throws Error that says what is wrong with it
 */
export async function readSkillFile(path: string): Promise<Skill> {
  const { text, cut } = await readText(path, path, fileLimit);
  if (cut > 0) throw new Error(`${path} is larger than 256 KiB`);
  return { ...parseSkill(text, path, basename(dirname(path))), folder: dirname(path) };
}

/**
 * Parses a SKILL.md.
 *
 * @param path the name of the file in messages
 * @param standard the name of the skill where its head has none
 * @throws Error that says what is wrong with it
 */
export function parseSkill(text: string, path: string, standard: string): Skill {
  const [, yaml, body = ''] = /^---\r?\n([^]*?)\r?\n---\r?\n?([^]*)$/.exec(text) ?? [];
  if (yaml === undefined) throw new Error(`${path} has no head between lines of ---`);
  const read = head.safeParse(parsed(yaml));
  if (!read.success) throw new Error(`${path} has no "description" in its head`);
  const { name = standard, description, context, 'allowed-tools': tools = [] } = read.data;
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw new Error(`${path}: its "name" is no name of letters, digits, - and _`);
  return {
    name,
    description: description.trim(),
    instructions: body.trim(),
    fork: context === 'fork',
    allowedTools: typeof tools === 'string' ? tools.split(/[\s,]+/).filter((each) => each !== '') : tools,
    folder: undefined,
  };
}

function parsed(yaml: string): unknown {
  try {
    return parse(yaml, { maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}
