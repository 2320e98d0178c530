import { z } from 'zod';
import { name, text } from '../values.js';

const prompt = 'a prompt (text), or a mapping with "instruction", "agent" or "url"';
const named = 'a mapping from names without blanks to prompts';

const command = z.union(
  [
    text,
    z
      .strictObject(
        {
          description: text.optional().describe('The text in the list of commands.'),
          instruction: text.min(1, 'text, and not empty').optional().describe('The prompt.'),
          agent: name
            .optional()
            .describe('The agent that the conversation is handed to; the text behind the name is its prompt.'),
          url: name.optional().describe('An address to open instead. {{session_id}} stands for the id of the session.'),
        },
        prompt,
      )
      .refine(({ instruction, agent, url }) => (instruction ?? agent ?? url) !== undefined, prompt)
      .refine(
        ({ instruction, agent, url }) => url === undefined || (instruction ?? agent) === undefined,
        'a mapping with "url" alone, or with "instruction" and "agent"',
      ),
  ],
  prompt,
);

const mapping = z.record(z.string().regex(/^[^\s/]+$/), command, named);

/** `commands` of an agent: prompts by name, typed as `/name`. docker-agent takes a list of such mappings, too. */
export const commandsSchema = z.union([mapping, z.array(mapping, named)], named);

/** `commands` at the top of a file: each a command, or several of them under one name. */
export const sharedCommandsSchema = z.record(
  z.string().regex(/^[^\s/]+$/),
  z.union([...command.options, mapping], prompt),
  named,
);

/** The effect of `/name`: a prompt, a change of the agent, or an address that is opened. */
export interface Command {
  description: string;
  /** The prompt; empty for a command that only changes the agent, or opens an address. */
  instruction: string;
  /** The agent that the conversation goes to first. */
  agent: string | undefined;
  /** The address to open. */
  url: string | undefined;
}

type Written = z.output<typeof command>;

/** Reads the commands of an agent. Of two with the same name, the later one counts. */
export function readCommands(written: z.output<typeof commandsSchema>): ReadonlyMap<string, Command> {
  const entries = (Array.isArray(written) ? written : [written]).flatMap((part) => Object.entries(part));
  return new Map(entries.map(([key, value]) => [key, readCommand(value)]));
}

/** The commands of an entry at the top of the file: the entry itself, or the commands in it. */
export function readSharedCommands(
  key: string,
  written: z.output<typeof sharedCommandsSchema>[string],
): ReadonlyMap<string, Command> {
  return isCommand(written) ? new Map([[key, readCommand(written)]]) : readCommands(written);
}

function isCommand(written: z.output<typeof sharedCommandsSchema>[string]): written is Written {
  return command.safeParse(written).success;
}

function readCommand(written: Written): Command {
  const {
    instruction = '',
    description = '',
    agent,
    url,
  } = typeof written === 'string' ? { instruction: written } : written;
  return { instruction, description, agent, url };
}
