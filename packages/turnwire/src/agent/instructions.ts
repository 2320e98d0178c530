import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Agent } from '../config/agent.js';
import { withPath } from './tools/workspace.js';
import { readText } from './tools/text-file.js';

/** Of one prompt file, in bytes. */
const promptFileLimit = 256 * 1024;

export interface InstructionSurroundings {
  /** An absolute path. */
  directory: string;
  /** Told about the tools; empty if nothing. */
  tools: string;
  /** All agents of the file, for those that this one may turn to. */
  agents: ReadonlyMap<string, Agent>;
  now: Date;
}

/**
 * What an agent is told before anything else: its instruction, and what the file wants added. Made once for a session, because a text that changes from
 * turn to turn would make every turn be sent and read in full (docs/continuation.md).
 *
 * @throws Error that names a prompt file that cannot be read.
 */
export async function instructionsOf(agent: Agent, around: InstructionSurroundings): Promise<string> {
  const { directory, tools, agents, now } = around;
  const parts = [agent.instruction.trim(), team(agent, agents), tools.trim()];
  if (agent.addDate) parts.push(`Today is ${now.toISOString().slice(0, 10)}.`);
  if (agent.addEnvironmentInfo) parts.push(environment(directory));
  for (const file of agent.addPromptFiles) {
    const place = findUpwards(directory, file);
    if (place === undefined) continue;
    const { text, cut } = await withPath(file, () => readText(place, file, promptFileLimit));
    if (cut > 0) throw new Error(`${file}, of add_prompt_files, is larger than 256 KiB`);
    parts.push(`From ${file}:\n\n${text.trim()}`);
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A file in a folder, or in the nearest one above it that has it, or in the user's; undefined where there is none. */
function findUpwards(directory: string, file: string): string | undefined {
  const place = resolve(directory, file);
  if (existsSync(place)) return place;
  if (isAbsolute(file)) return undefined;
  const parent = dirname(directory);
  if (parent !== directory) return findUpwards(parent, file);
  const atHome = resolve(homedir(), file);
  return existsSync(atHome) ? atHome : undefined;
}

function environment(directory: string): string {
  const git = isRepository(directory) ? 'is' : 'is not';
  return `The working directory is ${directory}, and it ${git} in a git repository. The system is ${process.platform} (${process.arch}).`;
}

function isRepository(directory: string): boolean {
  if (existsSync(join(directory, '.git'))) return true;
  const parent = dirname(directory);
  return parent !== directory && isRepository(parent);
}

function team({ subAgents, handoffs }: Agent, agents: ReadonlyMap<string, Agent>): string {
  const list = (names: readonly string[]): string =>
    names.map((name) => `- ${name}${describe(agents.get(name))}`).join('\n');
  return [
    ...(subAgents.length === 0
      ? []
      : [`You can give tasks to these agents with transfer_task; they know nothing but the task:\n${list(subAgents)}`]),
    ...(handoffs.length === 0
      ? []
      : [`You can hand the whole conversation over to these agents with handoff:\n${list(handoffs)}`]),
  ].join('\n\n');
}

function describe(agent: Agent | undefined): string {
  return agent === undefined || agent.description === '' ? '' : `: ${agent.description}`;
}
