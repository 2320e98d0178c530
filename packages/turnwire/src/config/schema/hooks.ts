import { z } from 'zod';
import { environment, flag, name, text, whole } from './values.js';

const hook = z.strictObject(
  {
    type: z
      .literal('command', 'command')
      .describe('command: run by the shell. It is told what happens as JSON on standard input, and answers as JSON.'),
    command: name.describe('The command.'),
    name: name.optional().describe('What it is called where it is told of. Default: the beginning of the command.'),
    timeout: whole(1, 'of seconds').max(3600, 'at most 3600 seconds').default(60).describe('In seconds. Default: 60.'),
    env: environment.optional().describe('Variables for it. Values may name secrets: ${env.NAME}.'),
    working_dir: name.optional().describe('Where it runs. Default: the working directory of the run.'),
    on_error: z
      .enum(['warn', 'ignore', 'block'], 'warn, ignore or block')
      .default('warn')
      .describe(
        'What a failure of it comes to: warn, ignore, or, of post_tool_use, block. Of pre_tool_use it always blocks the call. Default: warn.',
      ),
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
      preempt_yolo: flag
        .optional()
        .describe(
          'Of pre_tool_use: nothing but for readers, for here these hooks are always asked before --yolo and rules.',
        ),
      hooks: hooks.describe('What is run.'),
    },
    'a mapping with "matcher" and "hooks"',
  ),
  'a list of mappings with "matcher" and "hooks"',
).default([]);

/** `hooks` of an agent: commands of the user's at certain points of a run. */
export const hooksSchema = z.strictObject(
  {
    pre_tool_use: matched.describe('Before a tool runs: can block the call, change it, or have it asked for.'),
    post_tool_use: matched.describe('After a tool has run: can tell the model something, or stop the run.'),
    session_start: plain.describe('When a session begins: can tell the model something.'),
    session_end: plain.describe('When a session ends.'),
    on_user_input: plain.describe('When the agent waits for the user.'),
    stop: plain.describe('When the model has finished its answer: can tell it something.'),
    notification: plain.describe('When the user is told of an error or a warning.'),
  },
  'a mapping from points of a run, such as "pre_tool_use", to hooks',
);

export type Hooks = z.output<typeof hooksSchema>;
export type Hook = Hooks['stop'][number];

/**
 * A matcher as a pattern for whole names, as docker-agent anchors it. `u` refuses what Go's expressions have and JavaScript's would take for something
 * else, such as `\A` or `\z`: a guard would never be asked.
 */
export function matcherPattern(matcher: string): RegExp {
  const [, flags = '', source = ''] = /^(\(\?i\))?([^]*)$/.exec(matcher) ?? [];
  return new RegExp(`^(?:${source})$`, flags === '' ? 'u' : 'iu');
}

function isPattern(value: string): boolean {
  // A class by its name, such as [[:alpha:]], is Go's alone.
  if (/\[\[:/.test(value)) return false;
  try {
    // By itself, too: "a)|(b" is none, although it becomes one when it is put into a group.
    return [new RegExp(value.replace(/^\(\?i\)/, ''), 'u'), matcherPattern(value)].length > 0;
  } catch {
    return false;
  }
}
