import { z } from 'zod';
import { advice } from './spelling.js';

/** The issue of a failed check that is told: an unknown key before any other, because it is often the cause of the others. */
export function firstIssue<T extends { readonly code?: string }>(error: { readonly issues: readonly T[] }): T {
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0];
  if (issue === undefined) throw new Error('A failed check has no issue.');
  return issue;
}

/** The sentence for an invalid option of a part, such as `emulator`, with a guess of what was meant. */
export function optionProblem(part: string, schema: z.ZodObject, error: z.ZodError, options: unknown): string {
  const issue = firstIssue(error);
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const name = path === '' ? key : `${path}.${key}`;
    return `The ${part} has no option "${name}"; ${advice(key, optionNamesAt(schema, issue.path))}.`;
  }
  const subject = path === '' ? `The options of the ${part} are` : `The ${part}'s option "${path}" is`;
  const value = issue.path.reduce<unknown>((from, key) => Object(from)[String(key)], options);
  const words = wordsOf(issue);
  const guess = typeof value === 'string' && words.length > 0 ? `; ${advice(value, words)}` : '';
  return `${subject} not valid: ${issue.message.replace(/^Invalid input: /, '')}${guess}.`;
}

/** The words that would have been valid where a value is not; none if no words are expected there. */
export function wordsOf(issue: z.core.$ZodIssue): readonly string[] {
  const forms = issue.code === 'invalid_union' ? issue.errors.flat() : [issue];
  return forms.flatMap((each) => (each.code === 'invalid_value' ? each.values.map(String) : []));
}

/** The names of the options in a group, for the path of the group; those of the part itself for an empty path. */
function optionNamesAt(schema: z.ZodObject, path: readonly PropertyKey[]): readonly string[] {
  const group = path.reduce<unknown>((from, key) => shapeOf(from)?.[String(key)], schema);
  return Object.keys(shapeOf(group) ?? {});
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (schema instanceof z.ZodObject) return schema.shape;
  const isWrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return isWrapped ? shapeOf(schema.unwrap()) : undefined;
}
