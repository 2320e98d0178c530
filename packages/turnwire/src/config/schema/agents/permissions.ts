import { z } from 'zod';

/** A rule about calls, such as `shell:cmd=git status*`, after it was read. */
export interface PermissionRule {
  /** The rule as it stands in the file. */
  source: string;
  /** A glob for the name of the tool, such as `read_*` or `mcp:github:get_*`. */
  tool: string;
  /** Globs for arguments, all of which must match. Empty: any arguments match. */
  arguments: readonly { name: string; glob: string }[];
}

const expected = 'a rule: the name of a tool, "read_*", or with an argument "shell:cmd=git status*"';

/** The beginning of an argument: `:name=`. Any other colon belongs to the name of the tool, or to a glob. */
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

/** `permissions`: rules for calls that run without a question, that always need an answer, and that never run. */
export const permissionsSchema = z.strictObject(
  {
    deny: rules.describe('Calls that never run. These rules are checked first. Default: none.'),
    allow: rules.describe('Calls that run without a question. Default: none.'),
    ask: rules.describe('Calls that need a yes, also read-only ones. Default: none.'),
  },
  'a mapping with "allow", "ask" and "deny"',
);

export type PermissionRules = z.output<typeof permissionsSchema>;
