import type { z } from 'zod';
import { Refusal } from '../wire/refusal.js';

/** The API's refusal for an issue of a failed check. `prefix` is the path to the checked value, `root`, in the request. */
export function refusalOfIssue(
  issue: z.core.$ZodIssue | undefined,
  prefix: readonly PropertyKey[],
  root: unknown,
): Refusal {
  const path = issue?.path ?? [];
  const param = paramOf([...prefix, ...path]);
  const value = path.reduce<unknown>((at, key) => (isIndexable(at) ? at[key] : undefined), root);
  const refused = (code: string, message: string) => new Refusal(message, { code, param });
  if (value === undefined) return refused('missing_required_parameter', `Missing required parameter: '${param}'.`);
  switch (issue?.code) {
    case 'invalid_type':
      return refused('invalid_type', wrongType(param, article(issue.expected), value));
    case 'invalid_value':
      return refused('invalid_value', unsupportedValue(value, issue.values.map(String)));
    case 'too_small':
    case 'too_big':
      return outOfRange(issue, param, value);
    case 'custom':
      if (issue.params?.['kind'] === 'type') return refused('invalid_type', wrongType(param, issue.message, value));
      return refused('invalid_value', `Invalid '${param}': ${issue.message}.`);
    default:
      return refused('invalid_value', `Invalid '${param}': ${issue?.message ?? 'not valid'}.`);
  }
}

/** The API's sentence for a value that is none of the known ones. */
export function unsupportedValue(value: unknown, known: readonly string[]): string {
  const quoted = known.map((each) => `'${each}'`);
  const list = quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
  const shown = typeof value === 'string' ? `'${value.slice(0, 80)}'` : kindOf(value);
  return `Invalid value: ${shown}. Supported values are: ${list}.`;
}

/** The parameters whose numbers need not be integers. */
const decimals: ReadonlySet<string> = new Set(['temperature', 'top_p', 'presence_penalty', 'frequency_penalty']);

type RangeIssue = z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig;

/** The API's refusal for a value beyond a limit, with a code such as `integer_below_min_value`. */
function outOfRange(issue: RangeIssue, param: string, value: unknown): Refusal {
  const over = issue.code === 'too_big';
  const limit = over ? issue.maximum : issue.minimum;
  const refused = (code: string, message: string) => new Refusal(message, { code, param });
  if (typeof value === 'string') {
    if (!over) return refused('empty_string', `Invalid '${param}': empty string. Expected a non-empty text.`);
    const message = `Invalid '${param}': string too long. Expected a string with maximum length ${limit}, but got a string with length ${value.length} instead.`;
    return refused('string_above_max_length', message);
  }
  if (typeof value === 'number') {
    const kind = decimals.has(param) ? 'decimal' : 'integer';
    const code = `${kind}_${over ? 'above_max' : 'below_min'}_value`;
    const where = over ? 'above maximum' : 'below minimum';
    const message = `Invalid '${param}': ${kind} ${where} value. Expected a value ${over ? '<=' : '>='} ${limit}, but got ${value} instead.`;
    return refused(code, message);
  }
  const kind = Array.isArray(value) ? 'array' : 'object';
  const code = `${kind}_${over ? 'above_max' : 'below_min'}_length`;
  return refused(code, `Invalid '${param}': expected ${over ? 'at most' : 'at least'} ${limit} elements.`);
}

function wrongType(param: string, expected: string, value: unknown): string {
  return `Invalid type for '${param}': expected ${expected}, but got ${article(kindOf(value))} instead.`;
}

function isIndexable(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A path in the form of the API's `param`: `input[0].content`. */
export function paramOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function article(noun: string): string {
  if (noun === 'null') return noun;
  if (noun === 'int') return 'an integer';
  if (noun === 'record') return 'an object';
  return `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
}
