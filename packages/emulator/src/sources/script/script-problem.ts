import type { z } from 'zod';
import { scriptJsonSchema } from './script-json-schema.js';
import { advice } from '../../base/spelling.js';
import { isRecord } from '../../wire/wire.js';

type Issue = z.core.$ZodIssue;

/** The sentence for an issue of a script. `script` is the value that was checked. */
export function scriptProblem(issue: Issue, script: unknown): string {
  const { path } = issue;
  const value = path.reduce<unknown>(stepInto, script);
  const subject = nameOf(path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = String(issue.keys[0]);
      return `${subject} has an unknown key "${key}"; ${advice(key, keysAt(path, script))}.`;
    }
    case 'invalid_value':
      return oneOf(subject, value, issue.values.map(String));
    case 'invalid_union': {
      if (issue.discriminator === undefined) return `${subject}: ${oneLine(issue.message)}.`;
      const at = path.at(-1) === issue.discriminator ? path : [...path, issue.discriminator];
      const named = at.reduce<unknown>(stepInto, script);
      return oneOf(nameOf(at), named, constantsAt(at, script));
    }
    case 'invalid_type':
      if (value === undefined) return `${subject} is missing; it must be ${kinds[issue.expected] ?? issue.expected}.`;
      return `${subject} must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(value)}.`;
    case 'too_small':
    case 'too_big': {
      const over = issue.code === 'too_big';
      if (typeof value !== 'number' && !over) return `${subject} must not be empty.`;
      const most = over ? issue.maximum : issue.minimum;
      const bound = issue.inclusive === false ? (over ? 'less than' : 'more than') : over ? 'at most' : 'at least';
      return `${subject} must ${typeof value === 'number' ? 'be' : 'have'} ${bound} ${most}.`;
    }
    default:
      return `${subject}: ${oneLine(issue.message)}.`;
  }
}

function oneOf(subject: string, value: unknown, known: readonly string[]): string {
  if (value === undefined) return `${subject} is missing; it is one of ${known.join(', ')}.`;
  if (typeof value !== 'string') return `${subject} must be one of ${known.join(', ')}, not ${kindOf(value)}.`;
  return `${subject} cannot be "${value.slice(0, 80)}"; ${advice(value, known)}.`;
}

function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'The script';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** The names of types, as an author of YAML knows them. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return kinds[typeof value] ?? typeof value;
}

function stepInto(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === String(key))?.[1]
    : undefined;
}

type Schema = Readonly<Record<string, unknown>>;

/** The keys that a mapping at this place may have. */
function keysAt(path: readonly PropertyKey[], script: unknown): readonly string[] {
  return [
    ...new Set(
      schemasAt(path, script).flatMap(({ properties }) => (isRecord(properties) ? Object.keys(properties) : [])),
    ),
  ];
}

/** The texts that may be at this place. */
function constantsAt(path: readonly PropertyKey[], script: unknown): readonly string[] {
  return schemasAt(path, script).flatMap((schema) => (typeof schema['const'] === 'string' ? [schema['const']] : []));
}

/** The parts of the scripts' JSON Schema that describe a place. Of several alternatives, those that fit the `type` of the value there. */
function schemasAt(path: readonly PropertyKey[], script: unknown): readonly Schema[] {
  const root = scriptJsonSchema();
  const definitions = isRecord(root) && isRecord(root['$defs']) ? root['$defs'] : {};
  const forms = (schema: unknown): readonly Schema[] => {
    if (!isRecord(schema)) return [];
    const { $ref: reference } = schema;
    if (typeof reference === 'string') return forms(definitions[reference.replace('#/$defs/', '')]);
    const several = [schema['anyOf'], schema['oneOf'], schema['allOf']].filter(Array.isArray).flat();
    return several.length === 0 ? [schema] : several.flatMap(forms);
  };
  let schemas = forms(root);
  let value = script;
  for (const [index, key] of path.entries()) {
    schemas = schemas.flatMap(({ items, properties }) =>
      forms(typeof key === 'number' ? items : stepInto(properties, key)),
    );
    value = stepInto(value, key);
    // A path that ends in the discriminator is about its values, so all alternatives are kept.
    if (index < path.length - 1 && path.at(-1) === 'type') continue;
    const { type } = isRecord(value) ? value : {};
    const fitting = schemas.filter(({ properties }) => stepInto(stepInto(properties, 'type'), 'const') === type);
    if (type !== undefined && fitting.length > 0) schemas = fitting;
  }
  return schemas;
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/[.:]$/, '').trim();
}
