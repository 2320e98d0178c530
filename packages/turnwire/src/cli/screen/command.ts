import type { Agent } from '../../config/agent.js';
import { nearest } from '../../config/file/nearest.js';
import { efforts } from '../../config/schema/model.js';
import { fileCommand, type FileCommand, slashName } from './file-command.js';
import { ownCommand, type OwnCommand, ownCommands } from './own-commands.js';

/** The meaning of a line that the user typed. */
export type Typed =
  | FileCommand
  /** A command of turnwire itself, with the text behind its name. */
  | { kind: 'own'; name: OwnCommand; rest: string }
  /** A command for the shell of the user. */
  | { kind: 'shell'; command: string }
  /** An answer that turnwire gives itself. */
  | { kind: 'tell'; text: string };

export const transports = ['auto', 'websocket', 'sse'] as const;

/** The names of all commands, with a slash; a command of the file hides one of turnwire's with the same name. */
function commandNames({ commands }: Agent): string[] {
  return [...new Set([...commands.keys(), ...Object.keys(ownCommands), 'q', 'quit'].map((name) => `/${name}`))];
}

/** The meaning of a line. A path such as `/etc/hosts` is no command. */
export function command(agent: Agent, line: string, sessionId: string): Typed {
  const shell = /^\s*!\s*(\S.*)$/s.exec(line)?.[1];
  if (shell !== undefined) return { kind: 'shell', command: shell };
  const slash = slashName(line);
  if (slash === undefined) return { kind: 'say', text: line, agent: undefined };
  const { name, rest } = slash;
  const own = ownCommand(name);
  const asked =
    fileCommand(agent, name, rest, sessionId) ?? (own === undefined ? undefined : { kind: 'own', name: own, rest });
  if (asked !== undefined) return asked;
  const guess = nearest(`/${name}`, commandNames(agent));
  return {
    kind: 'tell',
    text: `there is no command /${name}; ${guess === undefined ? '/help lists them' : `did you mean ${guess}?`}`,
  };
}

/** Completions of a line: names of commands, and of the values that some of them take. */
export function completions(agent: Agent, line: string, models: readonly string[]): string[] {
  const [, name = '', word] = /^\/(\S*)(?:\s+(\S*))?$/.exec(line) ?? [];
  if (word === undefined)
    return line.startsWith('/') ? commandNames(agent).filter((each) => each.startsWith(line)) : [];
  const words: Readonly<Record<string, readonly string[]>> = { model: models, effort: efforts, transport: transports };
  const known = agent.commands.has(name) || !Object.hasOwn(words, name) ? [] : (words[name] ?? []);
  return known.filter((each) => each.startsWith(word)).map((each) => `/${name} ${each}`);
}

export function help({ commands }: Agent): string {
  const theirs = [...commands].map(([name, { description, instruction, agent, url }]) => {
    const [first] = (description || instruction || (url ?? `go on with ${agent}`)).trim().split('\n', 1);
    return `/${name}: ${first}`;
  });
  const ours = Object.values(ownCommands).map(({ usage, what }) => `${usage}: ${what}`);
  return [
    ...theirs,
    ...ours,
    '!COMMAND: run it in your shell; the agent is not told',
    'Escape or Ctrl-C cancels what runs; Ctrl-C twice at an empty prompt leaves',
    'Ctrl-O folds and unfolds the results of tools',
  ].join('\n');
}
