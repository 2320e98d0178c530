import type { Agent } from '../../config/agent.js';
import { commandPrompt, commandUrl } from '../../config/command-prompt.js';
import type { PromptTemplate } from '../../config/variables/template.js';

/** The meaning of a line that begins with the name of a command of the agent file. */
export type FileCommand =
  /** A prompt or a template of one, for another agent where the command names one. */
  | { kind: 'say'; text: string | PromptTemplate; agent: string | undefined }
  /** A change to another agent, which then waits for a prompt. */
  | { kind: 'switch'; agent: string }
  | { kind: 'open'; url: string };

/** The name behind the slash of a line, and the text that follows it; undefined for a line that is no command, such as a path. */
export function slashName(line: string): { name: string; rest: string } | undefined {
  const text = line.trimStart();
  const [whole, name = ''] = /^\/(\S+)/.exec(text) ?? [];
  if (whole === undefined || name.includes('/')) return undefined;
  return { name, rest: text.slice(whole.length).trim() };
}

/** The command that a line calls; undefined where the agent has no such command. */
export function fileCommand(
  { commands }: Agent,
  name: string,
  rest: string,
  sessionId: string,
): FileCommand | undefined {
  const command = commands.get(name);
  if (command === undefined) return undefined;
  const { instruction, agent, url } = command;
  if (url !== undefined) return { kind: 'open', url: commandUrl(url, sessionId) };
  const text = instruction === '' ? rest : commandPrompt(instruction, rest);
  return text === '' && agent !== undefined ? { kind: 'switch', agent } : { kind: 'say', text, agent };
}
