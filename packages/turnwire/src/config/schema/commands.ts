import { z } from 'zod';
import { text } from './values.js';

const prompt = 'a prompt (text), or a mapping with "instruction"';
const named = 'a mapping from names without blanks to prompts';

const command = z.union(
  [
    text,
    z.strictObject(
      {
        description: text.optional().describe('Shown in the list of commands.'),
        instruction: text.min(1, 'text, and not empty').describe('The prompt.'),
      },
      prompt,
    ),
  ],
  prompt,
);

const mapping = z.record(z.string().regex(/^[^\s/]+$/), command, named);

/** `commands` of an agent: prompts by name, typed as `/name`. docker-agent takes a list of such mappings, too. */
export const commandsSchema = z.union([mapping, z.array(mapping, named)], named);

/** A prompt with a name. */
export interface Command {
  description: string;
  instruction: string;
}

/** Of two with the same name, the later one counts. */
export function readCommands(written: z.output<typeof commandsSchema>): ReadonlyMap<string, Command> {
  const entries = (Array.isArray(written) ? written : [written]).flatMap((part) => Object.entries(part));
  return new Map(
    entries.map(([name, value]) => {
      const { instruction, description = '' } = typeof value === 'string' ? { instruction: value } : value;
      return [name, { instruction, description }];
    }),
  );
}
