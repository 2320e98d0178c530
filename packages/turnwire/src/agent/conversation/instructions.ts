import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Agent } from '../../config/agent.js';
import { promptFile, promptFilesBelow, promptFileText, type PromptFile } from './prompt-files.js';

export interface InstructionContext {
  /** An absolute path. */
  directory: string;
  /** Told about the tools; empty if nothing. */
  tools: string;
  /** All agents of the file, for those that this one may turn to. */
  agents: ReadonlyMap<string, Agent>;
  now: Date;
}

export interface Instructions {
  /** Puts what is added around an instruction. */
  instructions: (instruction: string) => string;
  /** The files of which the text is added. */
  promptFiles: readonly PromptFile[];
}

/**
 * What an agent is told before anything else: its instruction, and what the file wants added. Made once for a session, because a text that changes from
 * turn to turn would make every turn be sent and read in full (docs/continuation.md).
 *
 * @throws Error that names a prompt file that cannot be read.
 */
export async function instructionsAround(agent: Agent, around: InstructionContext): Promise<Instructions> {
  const { directory, tools, agents, now } = around;
  const parts = [team(agent, agents), tools.trim()];
  if (agent.addDate) parts.push(today(now));
  if (agent.addEnvironmentInfo) parts.push(environment(directory));
  const promptFiles: PromptFile[] = [];
  for (const file of agent.addPromptFiles) {
    const found = await promptFile(directory, file);
    if (found !== undefined) promptFiles.push(found);
  }
  parts.push(...promptFiles.map(promptFileText));
  parts.push(await promptFilesBelow(directory, agent.addPromptFiles, agent.addPromptFilesDepth));
  return {
    instructions: (instruction) => [instruction.trim(), ...parts].filter((part) => part !== '').join('\n\n'),
    promptFiles,
  };
}

/** The date, as a sentence. */
export function today(now: Date): string {
  return `Today is ${now.toISOString().slice(0, 10)}.`;
}

/** Where an agent works, as sentences. */
export function environment(directory: string): string {
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
