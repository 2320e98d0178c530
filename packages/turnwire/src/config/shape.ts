import type { z } from 'zod';
import { unservedKeys, unservedToolsets } from './docker-agent.js';
import { nearest } from './nearest.js';
import { type Problem, show } from './problem.js';
import { agentSchema, fileSchema, modelSchema, toolsetTypes, transports } from './schema.js';
import type { Path, YamlFile } from './yaml-file.js';

/** Compares a file with its schema and says all that differs, each in a sentence and with its place. */
export function checkShape(file: YamlFile): Problem[] {
  const { error } = fileSchema.safeParse(file.value);
  return error === undefined ? [] : error.issues.flatMap((issue) => problemsOf(file, issue));
}

function problemsOf(file: YamlFile, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => file.problem(unknownKey(issue.path, key), [...issue.path, key], 'key'));
  }
  return [file.problem(wrongValue(issue, valueAt(file.value, issue.path)), issue.path)];
}

function unknownKey(path: Path, key: string): string {
  if (path.length === 1 && path[0] === 'agents') {
    return `agent ${show(key)}: turnwire runs a single agent so far, and it has to be called "root"`;
  }
  const unserved = unservedKeys(path);
  if (unserved.includes(key)) return `${show(key)} is a docker-agent key that turnwire does not support yet; remove it`;
  const served = servedKeys(path);
  const guess = nearest(key, [...served, ...unserved]);
  const advice = guess === undefined ? `the keys here are ${served.join(', ')}` : `did you mean ${show(guess)}?`;
  return `unknown key ${show(key)}; ${advice}`;
}

function servedKeys(path: Path): string[] {
  if (path.length === 0) return Object.keys(fileSchema.shape);
  if (path.includes('toolsets')) return ['type'];
  if (path.at(-1) === 'provider_opts') return ['transport'];
  return Object.keys(path[0] === 'models' ? modelSchema.shape : agentSchema.shape);
}

function wrongValue(issue: z.core.$ZodIssue, value: unknown): string {
  const { message: expected, path } = issue;
  const key = path.at(-1);
  const subject =
    key === undefined ? 'the file' : typeof key === 'number' ? `entry ${key + 1} of this list` : show(String(key));
  if (value === undefined) return `${subject} is missing; it must be ${expected}`;
  if (value === null) return `${subject} is empty; it must be ${expected}`;
  if (typeof value === 'string' && (key === 'type' || key === 'transport')) {
    if (key === 'type' && unservedToolsets.has(value)) {
      return `${show(value)} is a docker-agent toolset that turnwire does not support yet; it has ${toolsetTypes.join(' and ')}`;
    }
    const guess = nearest(value, key === 'type' ? toolsetTypes : transports);
    return `${subject} must be ${expected}, not ${show(value)}${guess === undefined ? '' : `; did you mean ${show(guess)}?`}`;
  }
  return `${subject} must be ${expected}${found(value)}`;
}

/** What stands there instead. Texts are not repeated: one of them may be a key in the wrong place. */
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
