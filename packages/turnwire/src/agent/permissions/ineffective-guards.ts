import { nearest } from '../../config/file/nearest.js';
import { type Hooks, matcherPattern } from '../../config/schema/agents/hooks.js';
import type { PermissionRule, PermissionRules } from '../../config/schema/agents/permissions.js';
import { globPattern } from '../base/glob.js';
import type { Tool } from '../tools/tool.js';

/** Points whose hooks can keep a call from running, or its result from being seen. */
const guards = [
  'tool_input_transform',
  'pre_tool_use',
  'tool_guard',
  'permission_request',
  'tool_response_transform',
] as const;

/**
 * Sentences about rules that are meant to restrict calls and never will, because of how they are written. A rule about a tool that no agent has is not
 * reported, unless its name is similar to that of a tool.
 */
export function ineffectiveRules({ deny, ask }: PermissionRules, tools: readonly Tool[]): string[] {
  const said = (list: 'deny' | 'ask', rules: readonly PermissionRule[]): string[] =>
    rules.flatMap((rule) => {
      const why = whyIneffective(rule, tools);
      return why === undefined ? [] : [`the rule ${JSON.stringify(rule.source)} of "${list}" never holds: ${why}`];
    });
  return [...said('deny', deny), ...said('ask', ask)];
}

function whyIneffective(rule: PermissionRule, tools: readonly Tool[]): string | undefined {
  const pattern = globPattern(rule.tool, 'iu');
  const about = tools.filter((tool) => namesOf(tool).some((name) => pattern.test(name)));
  if (about.length === 0) {
    const argument = withArgumentName(rule.tool, tools);
    if (argument !== undefined) return `its argument has no name; did you mean ${argument}?`;
    const meant = misspelt(rule.tool, tools);
    return meant === undefined ? undefined : `there is no tool ${rule.tool}; did you mean ${meant}?`;
  }
  for (const { name } of rule.arguments) {
    const known = about.map((tool) => Object.keys((tool.parameters['properties'] as object | undefined) ?? {}));
    // Nothing is known of a tool that does not list its arguments.
    if (known.some((names) => names.length === 0 || names.includes(name) || isSameArgument(name, names))) continue;
    const [first, names = []] = [about[0]?.name, known[0]];
    return `${first} has no argument ${name}, but ${names.join(', ')}`;
  }
  return undefined;
}

/** The rule that is meant by `shell:rm*` or `Shell(rm*)`, which name a tool and no argument. */
function withArgumentName(written: string, tools: readonly Tool[]): string | undefined {
  const [, name, glob] = /^([\w-]+)[:(]:?([^]*?)\)?$/.exec(written) ?? [];
  const tool = tools.find((each) => each.name.toLowerCase() === name?.toLowerCase());
  if (tool === undefined) return undefined;
  const properties = Object.keys((tool.parameters['properties'] as object | undefined) ?? {});
  const argument = tool.command ?? tool.paths?.names[0] ?? properties[0];
  return argument === undefined ? tool.name : `${tool.name}:${argument}=${glob}`;
}

/** Sentences about matchers of an agent's guards that match none of its tools, and would if they were written a little differently. */
export function ineffectiveMatchers(agent: string, hooks: Hooks, tools: readonly Tool[]): string[] {
  return guards.flatMap((point) =>
    hooks[point].flatMap(({ matcher }) => {
      if (matcher === '' || matcher === '*') return [];
      const names = tools.flatMap(namesOf);
      const isMatched = (each: string): boolean => names.some((name) => matcherPattern(each).test(name));
      const lost = alternativesOf(matcher).filter((each) => !isMatched(each));
      const close = lost.map((each) => closeTo(each, names)).find((each) => each !== undefined);
      const meant = close ?? (isMatched(matcher) ? undefined : (namedIn(matcher, names) ?? misspelt(matcher, tools)));
      return meant === undefined
        ? []
        : [`the matcher ${JSON.stringify(matcher)} of ${point} is about no tool of ${agent}; did you mean ${meant}?`];
    }),
  );
}

/** The parts of a matcher that stand for tools by themselves. */
function alternativesOf(matcher: string): string[] {
  const parts = matcher.split('|');
  return /[()[\]\\]/.test(matcher) || parts.includes('') ? [matcher] : parts;
}

/** The matcher for a tool that is meant by one in another case, or by one that is written as a glob, such as `mcp:*`. */
function closeTo(matcher: string, names: readonly string[]): string | undefined {
  const other = matcherPattern(`(?i)${matcher.replace(/^\(\?i\)/, '')}`);
  const glob = globPattern(matcher);
  if (names.some((name) => matcher.includes('*') && glob.test(name))) return matcher.replace(/\.?\*/g, '.*');
  return names.find((name) => other.test(name));
}

/** The matcher for the tools whose names stand in one that matches none of them, such as `shell, edit_file`. */
function namedIn(matcher: string, names: readonly string[]): string | undefined {
  const words = new Set(matcher.split(/[^\w:-]+/));
  return [...new Set(names.filter((name) => words.has(name)))].join('|') || undefined;
}

function namesOf({ name, alias, restrictedAs }: Tool): string[] {
  return [name, alias, restrictedAs].filter((each) => each !== undefined);
}

/** The tool that a misspelt name without wildcards probably means. */
function misspelt(name: string, tools: readonly Tool[]): string | undefined {
  if (!/^[\w-]+$/.test(name)) return undefined;
  const names = tools.map((tool) => tool.name);
  return names.find((each) => each.toLowerCase() === name.toLowerCase()) ?? nearest(name, names);
}

/** True for `path` where the tool has `paths`, and the other way round. */
function isSameArgument(name: string, names: readonly string[]): boolean {
  return (name === 'path' || name === 'paths') && (names.includes('path') || names.includes('paths'));
}
