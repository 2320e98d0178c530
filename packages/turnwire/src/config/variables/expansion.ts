import { homedir } from 'node:os';
import { evaluate, ExpressionError, expressionsIn, variablesIn } from './expression.js';
import type { Problem } from '../file/problem.js';
import { providers } from '../models/providers.js';
import { isReplacedLate } from './late.js';
import { bareName } from './references.js';
import { calledNames, callsInExpression } from './template.js';
import type { Path, YamlFile } from '../file/yaml-file.js';

/** Reads a variable; undefined where it has no value. */
export type ReadVariable = (name: string) => Promise<string | undefined>;

/** Keys whose values are paths: in them `~` and `$NAME` are replaced as a shell replaces them. */
const paths: ReadonlySet<string> = new Set([
  'path',
  'working_dir',
  'add_prompt_files',
  'instruction_file',
  'allow_list',
  'deny_list',
]);
/** Keys whose texts are read by people or by the model: a `${…}` in them may be meant literally. */
const prose: ReadonlySet<string> = new Set([
  'instruction',
  'description',
  'welcome_message',
  'commands',
  'cmd',
  'command',
  'args',
]);
/** The deepest level at which a value is replaced. */
const deepest = 12;

/**
 * Replaces each `${env.NAME}` of a file, as docker-agent does; gives the file, and the problems with their places. Values of variables and headers stay
 * unchanged, except where they choose between values; so do the texts of commands that have arguments.
 */
export async function expandFile(file: YamlFile, read: ReadVariable): Promise<{ file: YamlFile; problems: Problem[] }> {
  const problems: Problem[] = [];
  const keys = keyNames(file.value);
  const values = new Map<string, string | undefined>();
  const lookUp = async (names: readonly string[]): Promise<void> => {
    for (const name of names) if (!values.has(name)) values.set(name, await read(name));
  };

  const expandText = async (written: string, path: Path): Promise<string> => {
    const words = path.map(String);
    // In `env` a `$NAME` in capitals stands for a variable, too, as it does in docker-agent. Code has other names, such as `$defs`.
    const text = words.at(-2) === 'env' ? written.replace(/\$([A-Z_][A-Z0-9_]*)(?!\w)/g, '${env.$1}') : written;
    const isLate = isReplacedLate(words);
    let expanded = isPath(words) ? await expandPath(text, path) : text;
    for (const { whole, source } of expressionsIn(text)) {
      const names = variablesIn(source);
      if (/^[A-Z][A-Z0-9_]*$/.test(source) && !isLate && !isPath(words) && !isProse(words))
        problems.push(file.problem(`${whole} is not replaced; write \${env.${source}}`, path));
      if (names.length === 0 || (isLate && /^env\.\w+$/.test(source))) continue;
      const key = isLate ? undefined : names.find((name) => keys.has(name));
      if (key !== undefined) {
        problems.push(file.problem(`${key} is a key, and may stand in "env" and in headers alone`, path));
        continue;
      }
      await lookUp(names);
      try {
        const value = evaluate(source, { env: values });
        if (value === undefined)
          problems.push(file.problem(missing(names.find((name) => values.get(name) === undefined) ?? ''), path));
        else expanded = expanded.replace(whole, () => value);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        const calls = callsInExpression(source).length > 0 && isTemplate(words);
        if (calls || (/\bargs\b/.test(source) && words.includes('commands')))
          problems.push(
            file.problem(`"env" and ${calls ? 'the call of a tool' : '"args"'} cannot stand in one expression`, path),
          );
        else if (!isProse(words))
          problems.push(file.problem(`${error.message}; write \${env.NAME} or \${env.NAME || "default"}`, path));
      }
    }
    // The value of a variable is text, and must not become a call of a tool.
    if (isTemplate(words) && calledNames(expanded).length !== calledNames(text).length)
      problems.push(file.problem('a variable in it holds what would be read as the call of a tool', path));
    return expanded;
  };

  const expandPath = async (text: string, path: Path): Promise<string> => {
    let expanded = text;
    if (/^~(?=\/|$)/.test(text)) expanded = `${(await read('HOME')) ?? homedir()}${text.slice(1)}`;
    for (const [whole, braced, plain] of expanded.matchAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g)) {
      const name = braced ?? plain ?? '';
      await lookUp([name]);
      const value = values.get(name);
      if (value === undefined) problems.push(file.problem(missing(name), path));
      else expanded = expanded.replace(whole, () => value);
    }
    return expanded;
  };

  const expand = async (value: unknown, path: Path): Promise<unknown> => {
    if (typeof value === 'string') return expandText(value, path);
    if (typeof value !== 'object' || value === null || path.length > deepest) return value;
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const [index, item] of value.entries()) items.push(await expand(item, [...path, index]));
      return items;
    }
    const entries: [string, unknown][] = [];
    for (const [key, inner] of Object.entries(value))
      entries.push([key, path.length === 0 && key === 'metadata' ? inner : await expand(inner, [...path, key])]);
    return Object.fromEntries(entries);
  };

  return { file: { ...file, value: await expand(file.value, []) }, problems };
}

/** True where an unknown `${…}` may be meant literally. */
function isProse(words: readonly string[]): boolean {
  return words[0] === 'permissions' || words.some((word) => prose.has(word));
}

/** True for texts in which tools may be called. */
function isTemplate(words: readonly string[]): boolean {
  return words.includes('instruction') || words.includes('commands');
}

function missing(name: string): string {
  return `${name} is not set; set it, or give a default: \${env.${name} || "default"}`;
}

/** True where a value is a path: the `path` of a memory, for example, but not a command of that name. */
function isPath(words: readonly string[]): boolean {
  const at = words.findLastIndex((word) => !/^\d+$/.test(word));
  if (words[at] === 'path') return words.at(-3) === 'toolsets';
  return paths.has(words[at] ?? '') && !['commands', 'args', 'env'].includes(words[at - 1] ?? '');
}

/** The variables that hold keys of models. */
function keyNames(value: unknown): ReadonlySet<string> {
  const found = new Set(
    [...providers.values()].flatMap((provider) => ('tokenKeys' in provider ? provider.tokenKeys : [])),
  );
  const visit = (inner: unknown, depth: number): void => {
    if (typeof inner !== 'object' || inner === null || depth > deepest) return;
    for (const [key, each] of Object.entries(inner)) {
      if (key === 'token_key' && typeof each === 'string') found.add(bareName(each) ?? each);
      visit(each, depth + 1);
    }
  };
  visit(value, 0);
  return found;
}
