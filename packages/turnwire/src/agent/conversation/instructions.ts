import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Agent } from '../../config/agent.js';
import { promptFile, promptFilesBelow, promptFileText, type PromptFile } from './prompt-files.js';

export interface InstructionContext {
  /** An absolute path. */
  directory: string;
  /** Instructions about the tools; empty for none. */
  tools: string;
  /** All agents of the file, from which the descriptions of reachable ones are taken. */
  agents: ReadonlyMap<string, Agent>;
  now: Date;
}

export interface Instructions {
  /** Adds the other parts before and after an instruction. */
  instructions: (instruction: string) => string;
  /** The files whose text is added. */
  promptFiles: readonly PromptFile[];
}

/**
 * The parts of an agent's system prompt besides its instruction. They are made once for a session, because a text that changes from turn to turn would make
 * every turn be sent and read in full (docs/continuation.md).
 *
 * @throws Error that names a prompt file that cannot be read
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

/** The working directory and the system of an agent, as sentences. */
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
