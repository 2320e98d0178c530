import { z } from 'zod';
import type { Reply } from './answer.js';
import type { Context } from '../memory/context.js';
import { Refusal } from '../wire/refusal.js';
import type { CreateRequest } from '../request/request.js';
import { isRecord } from '../wire/wire.js';

/** Refuses the format `json_object` if the word "json" is not in the input: the API does so, since a model may write blanks without end then. */
export function refuseJsonWithoutMention(request: CreateRequest, context: Context): void {
  if (request.format.type !== 'json_object') return;
  if (/json/i.test(request.instructions ?? '') || context.mentionsJson) return;
  const message =
    "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
  throw new Refusal(message, { param: 'input' });
}

/** An echo in the format of the request: the text itself, or the smallest JSON that fits the schema, with the text in its strings. */
export function echoInFormat(text: string, request: CreateRequest): string {
  const { format } = request;
  if (format.type === 'text') return text;
  if (format.type === 'json_schema') return JSON.stringify(sampleOf(format.schema, text, format.schema, 0));
  return JSON.stringify({ echo: text });
}

/** The smallest value that fits a JSON Schema, with `example` in its strings. */
export function exampleOf(schema: Record<string, unknown>): unknown {
  return sampleOf(schema, 'example', schema, 0);
}

/**
 * Refuses a script whose text does not have the format of the request, since a real model could not write it. The check covers JSON and as
 * much of the schema as zod can read. A refusal and a text that is cut short need not be JSON.
 */
export function refuseFormatMismatch(reply: Reply, request: CreateRequest, place?: string): void {
  const { format } = request;
  if (format.type === 'text' || reply.end.kind !== 'completed') return;
  for (const replyItem of reply.output) {
    if (replyItem.kind !== 'message' || replyItem.text === undefined || replyItem.phase === 'commentary') continue;
    const problem = problemWith(replyItem.text, format.type === 'json_schema' ? format.schema : { type: 'object' });
    if (problem === undefined) continue;
    const where = place === undefined ? '' : ` at ${place}`;
    const message = `The script's text${where} is not what text.format asks for (${format.type}): ${problem}. Give the turn a text that is.`;
    throw new Refusal(message, { code: 'script_format', param: 'text.format' });
  }
}

function problemWith(text: string, schema: Record<string, unknown>): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const readable = readSchema(schema);
  const checked = readable?.safeParse(value);
  if (checked === undefined || checked.success) return undefined;
  const [issue] = checked.error.issues;
  return `${issue?.path.map(String).join('.') || 'it'}: ${issue?.message ?? 'not valid'}`;
}

/** The zod schema for a JSON Schema; undefined for keywords that zod does not know, in which case only the JSON is checked. */
function readSchema(schema: Record<string, unknown>): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    return undefined;
  }
}

const maxDepth = 20;
const maxSampleItems = 100;

/** The smallest value that fits a JSON Schema. Patterns, formats, lengths, `not` and `if` are ignored. */
function sampleOf(schema: unknown, text: string, root: Record<string, unknown>, depth: number): unknown {
  if (!isRecord(schema) || depth > maxDepth) return null;
  const inner = (each: unknown) => sampleOf(each, text, root, depth + 1);
  if (typeof schema['$ref'] === 'string') return inner(resolvePointer(schema['$ref'], root));
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const branches = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(branches)) return inner(branches[0]);
  const { type } = schema;
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return text;
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: Math.min(Number(schema['minItems'] ?? 0), maxSampleItems) }, () =>
        inner(schema['items']),
      );
    case 'null':
      return null;
    default: {
      const properties = isRecord(schema['properties']) ? schema['properties'] : {};
      const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
      const wanted = Object.entries(properties).filter(([key]) => required.includes(key));
      return Object.fromEntries(wanted.map(([key, each]) => [key, inner(each)]));
    }
  }
}

/** The value to which a pointer within the schema leads, such as `#/$defs/name`. */
function resolvePointer(ref: string, root: Record<string, unknown>): unknown {
  return ref
    .replace(/^#\/?/, '')
    .split('/')
    .filter((key) => key !== '')
    .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), root);
}
