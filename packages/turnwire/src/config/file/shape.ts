import type { z } from 'zod';
import { refusal, unsupportedHooks, unsupportedKeys, unsupportedToolsets } from '../docker-agent.js';
import { nearest } from './nearest.js';
import { type Problem, show } from './problem.js';
import { hookTypes } from '../schema/agents/hooks.js';
import { fileSchema } from '../schema/file.js';
import { keysOf, schemaAt, wordsOf } from '../schema/place.js';
import { toolsetTypes } from '../schema/toolset.js';
import type { Path, YamlFile } from './yaml-file.js';

/** Compares a file with its schema. Gives a sentence and a place for each difference. */
export function checkShape(file: YamlFile): Problem[] {
  const { error } = fileSchema.safeParse(file.value);
  if (error === undefined) return [];
  // An agent with a `harness` is run by another program, and so needs no model.
  const isHarnessed = ({ path }: z.core.$ZodIssue): boolean =>
    path[0] === 'agents' && path[2] === 'model' && valueAt(file.value, [...path.slice(0, 2), 'harness']) !== undefined;
  return error.issues.filter((issue) => !isHarnessed(issue)).flatMap((issue) => problemsOf(file, issue, issue.path));
}

/** The problems of one issue. `path` leads to the issue from the top of the file; the issue's own path begins at the branch of a union. */
function problemsOf(file: YamlFile, issue: z.core.$ZodIssue, path: Path): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => file.problem(unknownKey(file, path, key), [...path, key], 'key'));
  if (issue.code === 'invalid_key')
    return [file.problem(`${show(String(path.at(-1)))} cannot be a name in ${issue.message}`, path, 'key')];
  const branch = issue.code === 'invalid_union' ? intended(issue) : undefined;
  if (branch !== undefined) return branch.flatMap((inner) => problemsOf(file, inner, [...path, ...inner.path]));
  return [file.problem(wrongValue(file, path, issue), path)];
}

/** The branch of a union that the value was meant for: one whose type of value stands there; of several, the one that knows most of its keys. */
function intended(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const unknownKeys = (branch: readonly z.core.$ZodIssue[]): number =>
    branch.reduce((count, each) => count + (each.code === 'unrecognized_keys' ? each.keys.length : 0), 0);
  return issue.errors
    .filter(
      (branch) =>
        branch.length > 0 && branch.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
    )
    .reduce<readonly z.core.$ZodIssue[] | undefined>(
      (best, branch) => (best === undefined || unknownKeys(branch) < unknownKeys(best) ? branch : best),
      undefined,
    );
}

function unknownKey(file: YamlFile, path: Path, key: string): string {
  const served = keysOf(schemaAt(fileSchema, path, file.value));
  const unsupported = unsupportedKeys(path);
  if (unsupported.includes(key)) return `${show(key)} ${refusal(key)}`;
  const guess = nearest(key, [...served, ...unsupported]);
  const advice = guess === undefined ? `the keys here are ${served.join(', ')}` : `did you mean ${show(guess)}?`;
  return `unknown key ${show(key)}; ${advice}`;
}

function wrongValue(file: YamlFile, path: Path, { code, message: expected }: z.core.$ZodIssue): string {
  const value = valueAt(file.value, path);
  const key = path.at(-1);
  const subject =
    key === undefined ? 'the file' : typeof key === 'number' ? `entry ${key + 1} of this list` : show(String(key));
  if (value === undefined) return `${subject} is missing; it must be ${expected}`;
  if (value === null) return `${subject} is empty; it must be ${expected}`;
  // A custom check looks at the content of a value: its type is right, so the message does not name the type.
  if (typeof value !== 'string') return `${subject} must be ${expected}${code === 'custom' ? '' : found(value)}`;
  if (typeof key === 'number' && path.at(-2) === 'toolsets')
    return `${subject} must be a mapping, such as { type: filesystem }`;
  const words = key === 'type' && path.includes('toolsets') ? toolsetTypes : wordsAt(file, path);
  if (key === 'type' && path.includes('toolsets') && unsupportedToolsets.has(value)) {
    return `${show(value)} is a docker-agent toolset that turnwire does not support yet; instead, ${unsupportedToolsets.get(value)}`;
  }
  if (key === 'type' && path.includes('hooks') && unsupportedHooks.has(value)) {
    return `${show(value)} is a kind of docker-agent hook that turnwire does not support yet; instead, ${unsupportedHooks.get(value)}`;
  }
  if (key === 'type' && path.includes('hooks') && !hookTypes.includes(value))
    return `${subject} must be ${hookTypes}, not ${show(value)}`;
  if (words.length === 0) return `${subject} must be ${expected}`;
  const guess = nearest(value, words);
  return `${subject} must be ${expected}, not ${show(value)}${guess === undefined || guess === value ? '' : `; did you mean ${show(guess)}?`}`;
}

function wordsAt(file: YamlFile, path: Path): readonly string[] {
  return wordsOf(schemaAt(fileSchema, path, file.value));
}

/** The value that stands there, for a message. A text is not repeated unless it is one of a few words: it may be a key in the wrong place. */
function found(value: unknown): string {
  if (Array.isArray(value)) return ', not a list';
  if (typeof value === 'object') return ', not a mapping';
  return typeof value === 'number' || typeof value === 'boolean' ? `, not ${value}` : '';
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? Reflect.get(inner, key) : undefined,
    value,
  );
}
