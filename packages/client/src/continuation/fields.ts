import { equal, field, pick } from '../json/json.js';
import type { Json, JsonObject } from '../json/json.js';

/**
 * Fields that do not shape the context: they say how one response is made, carried, stored and paid for. They are sent with every turn (P40), and may change
 * from turn to turn.
 *
 * Every other field shapes the context, unknown ones included: a full request is always right.
 */
const nonShapingFields: ReadonlySet<string> = new Set([
  'background',
  'client_metadata',
  'generate',
  'include',
  'input',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'stream',
  'stream_id',
  'stream_options',
  'temperature',
  'tool_choice',
  'top_logprobs',
  'top_p',
  'type',
  'user',
]);

/** Fields with which a turn is never continued by id: `conversation` excludes an id (P39), and `prompt` might put its items before the input twice. */
const unchainableFields = ['conversation', 'prompt'] as const;

/** The fields of a request that shape its context. null counts as absent, and so does `store: true`, the default of the server. */
export function shapingFields(params: JsonObject): JsonObject {
  return pick(params, isShaping);
}

function isShaping(name: string, value: Json | undefined): boolean {
  return value !== null && !nonShapingFields.has(name) && !(name === 'store' && value === true);
}

/** The name of the first field in which two results of {@link shapingFields} differ. */
export function changedField(a: JsonObject, b: JsonObject): string | undefined {
  for (const name of Object.keys(a)) if (!equal(a[name], field(b, name))) return name;
  return Object.keys(b).find((name) => !Object.hasOwn(a, name));
}

export function unchainableField(fields: JsonObject): (typeof unchainableFields)[number] | undefined {
  return unchainableFields.find((name) => Object.hasOwn(fields, name));
}
