import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { z } from 'zod';
import type { Skills } from '../../config/skills.js';
import type { Model } from '../../config/models/model.js';
import { nearest } from '../../config/file/nearest.js';
import { messageOf } from '../base/abort.js';
import { callerIn } from '../tools/session/background-agents.js';
import { readText } from '../tools/files/text-file.js';
import { defineTool, type Tool, type ToolContext } from '../tools/tool.js';
import type { OpenToolset } from '../tools/toolset.js';
import { withPath } from '../tools/files/workspace.js';
import { findSkills } from './find-skills.js';
import type { Skill } from './skill-file.js';

/** The largest file of a skill, in bytes. */
const fileLimit = 256 * 1024;

interface Offered extends Skill {
  /** The model that follows the skill, where it is not the agent's. */
  model: Model | undefined;
}

/** The skills of an agent: their names, and the tools by which the model reads them. */
export interface OpenSkills extends OpenToolset {
  offered: readonly Skill[];
}

/**
 * Opens the skills of an agent. The model is given their names and descriptions, and reads a skill when it needs it.
 *
 * @throws Error for a name without a skill
 */
export async function openSkills(
  { found, names, inline, addresses }: Skills,
  { directory, home, warn }: { directory: string; home: string | undefined; warn: (message: string) => void },
): Promise<OpenSkills> {
  const there = found ? await findSkills(directory, home, warn) : new Map<string, Skill>();
  const all = new Map(there);
  for (const address of addresses) {
    const { remoteSkills } = await import('./remote-skills.js');
    const offered = await remoteSkills(address, warn).catch((error: unknown) => {
      warn(messageOf(error));
      return [];
    });
    for (const skill of offered) if (!all.has(skill.name)) all.set(skill.name, skill);
  }
  for (const name of names ?? []) {
    if (all.has(name) || !found) continue;
    const guess = nearest(name, all.keys());
    warn(`there is no skill ${name} here${guess === undefined ? '' : `; did you mean ${guess}?`}`);
  }
  const isWanted = (name: string): boolean => names === undefined || names.length === 0 || names.includes(name);
  const skills = new Map<string, Offered>();
  for (const skill of all.values()) if (isWanted(skill.name)) skills.set(skill.name, { ...skill, model: undefined });
  for (const skill of inline) skills.set(skill.name, { ...skill, folder: undefined });
  return { offered: [...skills.values()], instructions: instructionsOf([...skills.values()]), tools: toolsOf(skills) };
}

function instructionsOf(skills: readonly Skill[]): string | undefined {
  if (skills.length === 0) return undefined;
  const list = skills.map(
    ({ name, description, fork }) => `- ${name}${fork ? ' (run_skill)' : ''}: ${description.replace(/\s+/g, ' ')}`,
  );
  return `These skills are instructions for certain work. Before you do such work, read the skill with read_skill and follow it; those with run_skill are followed for you:\n${list.join('\n')}`;
}

function toolsOf(skills: ReadonlyMap<string, Offered>): Tool[] {
  const all = [...skills.values()];
  const read = all.filter(({ fork }) => !fork).map(({ name }) => name);
  const run = all.filter(({ fork }) => fork).map(({ name }) => name);
  const withFiles = all
    .filter(({ folder, files }) => folder !== undefined || (files?.size ?? 0) > 1)
    .map(({ name }) => name);
  const called = (name: string): Offered => {
    const skill = skills.get(name);
    if (skill === undefined) throw new Error(`there is no skill ${name}`);
    return skill;
  };
  return [
    ...(read.length === 0
      ? []
      : [
          defineTool({
            name: 'read_skill',
            description: 'Returns the instructions of a skill.',
            readOnly: true,
            input: z.object({ name: z.enum(read).describe('Which one.') }),
            run: ({ name }, context) => approved(called(name), undefined, textOf(called(name)), context),
          }),
        ]),
    ...(withFiles.length === 0
      ? []
      : [
          defineTool({
            name: 'read_skill_file',
            description: 'Returns another file of a skill that its instructions name.',
            readOnly: true,
            input: z.object({
              skill_name: z.enum(withFiles).describe('Which skill.'),
              path: z.string().min(1).describe('The file, relative to the folder of the skill.'),
            }),
            run: ({ skill_name: name, path }, context) =>
              withPath(path, async () => approved(called(name), path, await readFileOf(called(name), path), context)),
          }),
        ]),
    ...(run.length === 0
      ? []
      : [
          defineTool({
            name: 'run_skill',
            description:
              'Lets a skill be followed in a conversation of its own, and returns what came of it. It sees nothing of this conversation: say all that it needs.',
            readOnly: true,
            alone: true,
            delegates: true,
            input: z.object({
              name: z.enum(run).describe('Which one.'),
              task: z.string().min(1).describe('What is to be done, complete.'),
            }),
            async run({ name, task }, context) {
              const skill = called(name);
              const instructions = await approved(skill, undefined, textOf(skill), context);
              const given = { to: undefined, prompt: task, instructions, model: skill.model };
              return callerIn(context).delegate(given, { signal: context.signal, emit: context.emit });
            },
          }),
        ]),
  ];
}

/** A text of a skill, once the hooks that guard skills have approved it. */
async function approved(
  { name, folder }: Offered,
  file: string | undefined,
  content: string,
  { caller, signal }: ToolContext,
): Promise<string> {
  const path = folder === undefined ? file : join(folder, file ?? 'SKILL.md');
  await caller?.approveSkill({ name, ...(path === undefined ? {} : { path }), content }, signal);
  return content;
}

function textOf({ instructions, allowedTools }: Skill): string {
  return allowedTools.length === 0
    ? instructions
    : `It is written for these tools: ${allowedTools.join(', ')}.\n\n${instructions}`;
}

async function readFileOf({ folder = '', files }: Skill, path: string): Promise<string> {
  if (files !== undefined) {
    const text = files.get(path);
    if (text === undefined) throw new Error(`there is no ${path}; there is ${[...files.keys()].join(', ')}`);
    return text;
  }
  const root = await realpath(folder);
  const place = await realpath(join(root, path));
  if (!place.startsWith(root + sep)) throw new Error(`${path} is outside the folder of the skill`);
  const { text, cut } = await readText(place, path, fileLimit);
  return cut === 0 ? text : `${text}\n[cut: the last ${cut} bytes are not shown]`;
}
