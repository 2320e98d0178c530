import { z } from 'zod';
import { name, text, whole } from './values.js';

const hook = z.strictObject(
  {
    type: z
      .literal('command', 'command')
      .describe('command: run by the shell. It is told what happens as JSON on standard input.'),
    command: name.describe('The command.'),
    timeout: whole(1, 'of seconds').max(3600, 'at most 3600 seconds').default(60).describe('In seconds. Default: 60.'),
  },
  'a mapping with "type" and "command"',
);

/** docker-agent takes one of them without the list, too. */
function listOf<One extends z.ZodType>(one: One, expected: string) {
  return z
    .union([z.array(one, expected), one], expected)
    .transform((written): z.output<One>[] => (Array.isArray(written) ? written : [written]));
}

const hooks = listOf(hook, 'a list of hooks, such as [{ type: command, command: ./check.sh }]');
const plain = hooks.default([]);

const matcher = 'a regular expression for names of tools, or *';
const matched = listOf(
  z.strictObject(
    {
      matcher: text
        .refine((value) => value === '*' || isPattern(value), matcher)
        .default('*')
        .describe('Which tools: a regular expression for their whole names, or *. Default: *.'),
      hooks: hooks.describe('What is run.'),
    },
    'a mapping with "matcher" and "hooks"',
  ),
  'a list of mappings with "matcher" and "hooks"',
).default([]);

/** `hooks` of an agent: commands of the user's at certain points of a run. */
export const hooksSchema = z.strictObject(
  {
    pre_tool_use: matched.describe('Before a tool runs.'),
    post_tool_use: matched.describe('After a tool has run.'),
    session_start: plain.describe('When a session begins.'),
    session_end: plain.describe('When a session ends.'),
    on_user_input: plain.describe('When the agent waits for the user.'),
    stop: plain.describe('When the model has finished its answer.'),
    notification: plain.describe('When the user is told of an error or a warning.'),
  },
  'a mapping from points of a run, such as "pre_tool_use", to hooks',
);

export type Hooks = z.output<typeof hooksSchema>;

function isPattern(value: string): boolean {
  try {
    return new RegExp(value).source !== '';
  } catch {
    return false;
  }
}
