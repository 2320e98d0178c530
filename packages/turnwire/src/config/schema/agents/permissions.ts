import { z } from 'zod';

/** A rule about calls, as read from `shell:cmd=git status*`. */
export interface PermissionRule {
  /** As it is written in the file. */
  source: string;
  /** A glob for the name of the tool, such as `read_*` or `mcp:github:get_*`. */
  tool: string;
  /** All of them have to match; none: any arguments do. */
  arguments: readonly { name: string; glob: string }[];
}

const expected = 'a rule: the name of a tool, "read_*", or with an argument "shell:cmd=git status*"';

/** `:name=` begins an argument; a colon elsewhere belongs to the name of the tool, or to the glob. */
const argument = /:([A-Za-z_][\w-]*)=/g;

const rule = z
  .string(expected)
  .regex(/^[^\s:=]+(?::[^\s:=]+)*(?::[A-Za-z_][\w-]*=[^\0]*)?$/, expected)
  .transform(readRule);

function readRule(source: string): PermissionRule {
  const starts = [...source.matchAll(argument)];
  return {
    source,
    tool: source.slice(0, starts[0]?.index ?? source.length),
    arguments: starts.map((start, place) => ({
      name: start[1] ?? '',
      glob: source.slice(start.index + start[0].length, starts[place + 1]?.index ?? source.length),
    })),
  };
}

const rules = z.array(rule, 'a list of rules, such as ["read_*", "shell:cmd=git status*"]').default([]);

/** `permissions`: which calls run without a question, which always need one, and which never run. */
export const permissionsSchema = z.strictObject(
  {
    deny: rules.describe('Calls that never run. Asked first. Default: none.'),
    allow: rules.describe('Calls that run without a question. Default: none.'),
    ask: rules.describe('Calls that need a yes, those that only read included. Default: none.'),
  },
  'a mapping with "allow", "ask" and "deny"',
);

export type PermissionRules = z.output<typeof permissionsSchema>;
