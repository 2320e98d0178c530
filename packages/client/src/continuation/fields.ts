import { equal, field, pick } from '../json/json.js';
import type { Json, JsonObject } from '../json/json.js';

/**
 * Fields that do not shape what the model is shown of the past: how this one answer is made, carried, kept and paid for. They travel
 * with every turn anyway (P40) and may change from turn to turn.
 *
 * Every other field does shape it, those included that we have never heard of: a full request is always right, a delta need not be.
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

/**
 * Fields with which a turn is never continued by id: `conversation` excludes an id (P39), and what `prompt` puts before the input
 * might be put there twice.
 */
const unchainableFields = ['conversation', 'prompt'] as const;

/** The fields of a request that shape its context, in one form: null is absent, and so is `store: true`, the default of the server. */
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
