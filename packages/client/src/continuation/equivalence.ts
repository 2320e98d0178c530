import { equal, field, isObject } from '../json/json.js';
import { equalJsonText } from '../json/json-text.js';
import type { StoredJson, StoredObject, Json, JsonObject } from '../json/json.js';

/**
 * When two values of a field count as the same, beyond being equal whatever the order of keys:
 *
 * - `nullable`: null is as good as absent. What applies to every field of a known item that is not listed.
 * - `optional`: one side may lack it, or have null; if both have it, they must be equal.
 * - `callId`: as `optional`, and the call's own `call_id` is as good as absent: an SDK that has not kept the id writes that in its place.
 * - `empty`: an empty array, null and absent are the same.
 * - `ignored`: not looked at.
 * - `json`: text that is the same JSON.
 * - `content`: of a message; a string is one part of text, each part has its own rules.
 */
type Tolerance = 'nullable' | 'optional' | 'callId' | 'empty' | 'ignored' | 'json' | 'content';
type Tolerances = ReadonlyMap<string, Tolerance>;

const tolerances = (table: Readonly<Record<string, Tolerance>>): Tolerances => new Map(Object.entries(table));

/** `type` was compared before: for a message it may be absent. An `id` and a `status` are the server's to give, and SDKs drop them. */
const commonTolerances = { type: 'ignored', id: 'optional', status: 'optional' } as const;
const defaultTolerances = tolerances(commonTolerances);

/**
 * The one table of tolerance, by type of item; `docs/continuation.md` explains it. Types that are not listed are compared exactly,
 * field by field. Whatever a model can read (text, names, call ids, images, encrypted content) is never tolerated to differ.
 */
const items: ReadonlyMap<string, Tolerances> = new Map([
  // A phase that an SDK dropped is still the one the model gave; two different ones are two different messages.
  ['message', tolerances({ ...commonTolerances, content: 'content', phase: 'optional' })],
  ['reasoning', tolerances({ ...commonTolerances, summary: 'empty', content: 'empty' })],
  ['function_call', tolerances({ ...commonTolerances, id: 'callId', arguments: 'json', parsed_arguments: 'ignored' })],
  // Their ids are what an answer names, so these must be there.
  ['mcp_approval_request', tolerances({ ...commonTolerances, id: 'nullable' })],
  ['local_shell_call_output', tolerances({ ...commonTolerances, id: 'nullable' })],
  ...[
    'apply_patch_call',
    'apply_patch_call_output',
    'code_interpreter_call',
    'compaction',
    'computer_call',
    'computer_call_output',
    'custom_tool_call',
    'custom_tool_call_output',
    'file_search_call',
    'function_call_output',
    'image_generation_call',
    'local_shell_call',
    'mcp_approval_response',
    'mcp_call',
    'mcp_list_tools',
    'shell_call',
    'shell_call_output',
    'tool_search_call',
    'tool_search_output',
    'web_search_call',
  ].map((type) => [type, defaultTolerances] as const),
]);

const outputText = tolerances({ annotations: 'empty', logprobs: 'empty', parsed: 'ignored' });
const anyPart: Tolerances = new Map();

/**
 * Whether an item of the caller's input is the item that the server holds. Not transitive (an item without id is like two that have
 * different ones), so what is held must be kept as it is held, and never be replaced by what was found equivalent to it.
 */
export function equivalent(stored: StoredJson, given: Json): boolean {
  // As a rule they are the same, to the letter: then no rule is asked.
  if (equal(stored, given)) return true;
  if (!isObject(stored) || !isObject(given)) return false;
  const type = typeOf(given);
  // The reference means whatever the server has under that id. The other way round nothing is certain: what a held reference points at
  // is not known here, and the item given may have been edited.
  if (type === 'item_reference') return isReference(given) && field(stored, 'id') === given['id'];
  if (type !== typeOf(stored)) return false;
  const rules = type === undefined ? undefined : items.get(type);
  return rules !== undefined && equivalentFields(stored, given, rules);
}

/** The type of an item; messages may leave it out. */
export function typeOf(item: StoredObject): string | undefined {
  const type = field(item, 'type') ?? null;
  if (type === null && typeof field(item, 'role') === 'string') return 'message';
  return typeof type === 'string' ? type : undefined;
}

/** `item_reference`, with an id and nothing else. */
export function isReference(item: StoredObject): boolean {
  return (
    field(item, 'type') === 'item_reference' && typeof field(item, 'id') === 'string' && Object.keys(item).length === 2
  );
}

/** How a message of this role names a part that is text, where `content` is a string. */
function textTypeOf(role: StoredJson | undefined): string | undefined {
  if (role === 'assistant') return 'output_text';
  return role === 'user' || role === 'system' || role === 'developer' ? 'input_text' : undefined;
}

function equivalentFields(stored: StoredObject, given: JsonObject, rules: Tolerances): boolean {
  for (const name of Object.keys(given)) {
    if (!equivalentField(field(stored, name), given[name], given, rules.get(name))) return false;
  }
  for (const name of Object.keys(stored)) {
    if (!Object.hasOwn(given, name) && !equivalentField(stored[name], undefined, given, rules.get(name))) return false;
  }
  return true;
}

function equivalentField(
  stored: StoredJson | undefined,
  given: Json | undefined,
  item: JsonObject,
  tolerance: Tolerance = 'nullable',
): boolean {
  const [a, b] = [stored ?? null, given ?? null];
  return a === b || comparisons[tolerance](a, b, item);
}

/** Of values that are not the same; null stands for absent. */
const comparisons: Readonly<Record<Tolerance, (a: StoredJson, b: Json, item: JsonObject) => boolean>> = {
  nullable: (a, b) => equal(a, b),
  optional: (a, b) => a === null || b === null || equal(a, b),
  callId: (a, b, item) => [a, b].some((id) => id === null || id === field(item, 'call_id')) || equal(a, b),
  empty: (a, b) => (isEmpty(a) && isEmpty(b)) || equal(a, b),
  ignored: () => true,
  json: (a, b) => (typeof a === 'string' && typeof b === 'string' ? equalJsonText(a, b) : equal(a, b)),
  content: (a, b, item) => equivalentContent(a, b, textTypeOf(field(item, 'role'))),
};

function isEmpty(value: StoredJson): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function equivalentContent(stored: StoredJson, given: Json, textType: string | undefined): boolean {
  const [a, b] = [partsOf(stored, textType), partsOf(given, textType)];
  if (!Array.isArray(a) || !Array.isArray(b)) return equal(a, b);
  return a.length === b.length && a.every((part, index) => equivalentPart(part, b[index] ?? null));
}

function partsOf<Value extends StoredJson>(content: Value, textType: string | undefined): Value | Json {
  return typeof content === 'string' && textType !== undefined ? [{ type: textType, text: content }] : content;
}

function equivalentPart(stored: StoredJson, given: Json): boolean {
  if (!isObject(stored) || !isObject(given)) return equal(stored, given);
  return equivalentFields(stored, given, field(given, 'type') === 'output_text' ? outputText : anyPart);
}
