import { homedir } from 'node:os';
import { evaluate, ExpressionError, expressionsIn, variablesIn } from './expression.js';
import type { Problem } from '../file/problem.js';
import { providers } from '../models/providers.js';
import { bareName } from './references.js';
import { toolNames } from '../tool-names.js';
import type { Path, YamlFile } from '../file/yaml-file.js';

/** Looks a variable up; undefined where it has no value. */
export type ReadVariable = (name: string) => Promise<string | undefined>;

/** Values that are replaced when they are used, and not when the file is read: they may be secrets, and change. */
const late: ReadonlySet<string> = new Set(['env', 'headers', 'http_headers']);
/** Keys whose values are paths: `~` and `$NAME` stand in them for what a shell would take them for. */
const paths: ReadonlySet<string> = new Set([
  'path',
  'working_dir',
  'add_prompt_files',
  'instruction_file',
  'allow_list',
  'deny_list',
]);
/** Texts in which `${…}` may be meant for the reader. */
const prose: ReadonlySet<string> = new Set([
  'instruction',
  'description',
  'welcome_message',
  'commands',
  'cmd',
  'command',
  'args',
]);
/** No value that is replaced stands deeper than this. */
const deepest = 12;

/**
 * The file with its `${env.NAME}` replaced, as docker-agent replaces them, and what is wrong with them, each with its place. Values of variables and
 * headers are left as they are, except where they choose between values; so is what the arguments of a command are put into.
 */
export async function expandFile(file: YamlFile, read: ReadVariable): Promise<{ file: YamlFile; problems: Problem[] }> {
  const problems: Problem[] = [];
  const keys = keyNames(file.value);
  const values = new Map<string, string | undefined>();
  const lookUp = async (names: readonly string[]): Promise<void> => {
    for (const name of names) if (!values.has(name)) values.set(name, await read(name));
  };

  const expandText = async (text: string, path: Path): Promise<string> => {
    const words = path.map(String);
    const called = words.some((word) => word === 'instruction' || word === 'commands') ? toolCallIn(text) : undefined;
    if (called !== undefined) problems.push(file.problem(unservedCall(called), path));
    const isLate = words.slice(0, -1).some((key) => late.has(key));
    let expanded = isPath(words) ? await expandPath(text, path) : text;
    for (const { whole, source } of expressionsIn(text)) {
      const names = variablesIn(source);
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
        if (/\bargs\b/.test(source) && words.includes('commands'))
          problems.push(file.problem('"env" and "args" cannot stand in one expression', path));
        else if (!words.some((word) => prose.has(word)))
          problems.push(file.problem(`${error.message}; write \${env.NAME} or \${env.NAME || "default"}`, path));
      }
    }
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

/** The tool whose result docker-agent puts into a text: `${shell({…})}` or `!shell(…)`; undefined for none. */
function toolCallIn(text: string): string | undefined {
  const inBraces = /\$\{\s*([A-Za-z_]\w*)\(\s*\{/.exec(text)?.[1];
  return inBraces ?? [...text.matchAll(/(?:^|\s)!([a-z_]\w*)\(/g)].map(([, name = '']) => name).find(isToolName);
}

function isToolName(name: string): boolean {
  return Object.values(toolNames).some((names) => names.includes(name));
}

function unservedCall(name: string): string {
  return `docker-agent puts what the tool "${name}" returns here, and turnwire does not do that yet; write the text itself, or let the agent call the tool`;
}

function missing(name: string): string {
  return `${name} is not set; set it, or give a default: \${env.${name} || "default"}`;
}

/** Whether a value is a path: of a memory, and not of a command that is called so. */
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
