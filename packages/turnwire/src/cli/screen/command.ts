import type { TransportChoice } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import { commandPrompt } from '../../config/command-prompt.js';
import { nearest } from '../../config/nearest.js';

/** What a line that was typed asks for. */
export type Typed =
  | { kind: 'say'; text: string }
  /** An answer of the program itself. */
  | { kind: 'tell'; text: string }
  | { kind: 'exit' | 'new' | 'usage' }
  | { kind: 'model'; name: string }
  | { kind: 'transport'; name: TransportChoice | undefined };

const own: Readonly<Record<string, string>> = {
  '/new': 'begin a new conversation',
  '/model [NAME]': 'say which model answers, or go on with another one',
  '/usage': 'what the last run came to',
  '/transport [auto|websocket|sse]': 'say or change how the model is reached',
  '/help': 'this list',
  '/exit': 'leave',
};

/** All that begin with a slash; those of the file come first where names are the same. */
export function commandNames({ commands }: Agent): string[] {
  const ours = Object.keys(own).map((usage) => usage.split(' ', 1)[0] ?? usage);
  return [...new Set([...[...commands.keys()].map((name) => `/${name}`), ...ours])];
}

/** A path such as `/etc/hosts` is no command. */
export function command(agent: Agent, line: string): Typed {
  const [whole, name = ''] = /^\/(\S+)/.exec(line.trimStart()) ?? [];
  if (whole === undefined || name.includes('/')) return { kind: 'say', text: line };
  const rest = line.trimStart().slice(whole.length).trim();
  const prompt = agent.commands.get(name)?.instruction;
  if (prompt !== undefined) return { kind: 'say', text: commandPrompt(prompt, rest) };
  switch (name) {
    case 'new':
    case 'usage':
    case 'exit':
      return { kind: name };
    case 'model':
      return { kind: 'model', name: rest };
    case 'transport':
      if (rest === '') return { kind: 'transport', name: undefined };
      if (rest === 'auto' || rest === 'websocket' || rest === 'sse') return { kind: 'transport', name: rest };
      return { kind: 'tell', text: `there is no transport ${rest}; there is auto, websocket, sse` };
    case 'help':
      return { kind: 'tell', text: help(agent) };
    default: {
      const guess = nearest(`/${name}`, commandNames(agent));
      return {
        kind: 'tell',
        text: `there is no command /${name}; ${guess === undefined ? '/help lists them' : `did you mean ${guess}?`}`,
      };
    }
  }
}

function help({ commands }: Agent): string {
  const theirs = [...commands].map(([name, { description, instruction }]) => {
    const [first] = (description || instruction).trim().split('\n', 1);
    return `/${name}: ${first}`;
  });
  const ours = Object.entries(own).map(([usage, what]) => `${usage}: ${what}`);
  return [...theirs, ...ours, 'Ctrl-C cancels what runs, and leaves where nothing does'].join('\n');
}
