import type { PermissionRule } from '../config/schema/permissions.js';
import { globPattern } from './glob.js';
import type { Tool } from './tools/tool.js';

/**
 * How a rule about a command for the shell is taken. `git status*` would, as a mere glob, also match `git status; rm -rf /`.
 *
 * - `one_command`: of a rule that allows. The text has to be one plain command: what could begin another one, or write a file, is not matched
 *   by `*`.
 * - `any_command`: of a rule that denies or asks. It holds if it matches the whole, or any of the commands that it is made of.
 */
export type Reading = 'one_command' | 'any_command';

/** The first of these rules that matches a call. */
export function ruleFor(
  rules: readonly PermissionRule[],
  tool: Tool,
  args: unknown,
  reading: Reading,
): PermissionRule | undefined {
  return rules.find((rule) => {
    const names = globPattern(rule.tool);
    const called = [tool.name, tool.alias, reading === 'any_command' ? tool.restrictedAs : undefined];
    if (!called.some((name) => name !== undefined && names.test(name))) return false;
    return rule.arguments.every(({ name, glob }) =>
      readings(valueOf(args, name), glob, name === tool.command ? reading : undefined).some((value) =>
        globPattern(glob).test(value),
      ),
    );
  });
}

/** What the shell takes as more than a part of one command. */
const special = /[;&|<>`$(){}\n\r\\]/;
const separators = /[;&|`(){}\n\r]+|\$\(/;

/** The texts of which one has to match. */
function readings(value: string | undefined, glob: string, reading: Reading | undefined): string[] {
  if (value === undefined) return [];
  if (reading === undefined) return [value];
  if (reading === 'any_command') return [value, ...value.split(separators).map((part) => part.trim())];
  // A rule that spells such a character out means it, and what it spells out has to stand there as it is.
  return !special.test(value) || value === glob ? [value] : [];
}

function valueOf(args: unknown, name: string): string | undefined {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, name)) return undefined;
  const value: unknown = Reflect.get(args, name);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
