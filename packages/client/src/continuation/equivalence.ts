import { equal, field, isObject } from '../json/json.js';
import { equalJsonText } from '../json/json-text.js';
import type { Json, JsonObject } from '../json/json.js';

/**
 * When two values of a field are equivalent, beyond being equal in any order of keys:
 *
 * - `nullable`: null and absent are the same. Applies to every field of a known item that is not listed.
 * - `optional`: one side may lack it, or have null; if both have it, they must be equal.
 * - `callId`: as `optional`, and the `call_id` of the call counts as absent: an SDK that has not kept the id writes it in its place.
 * - `empty`: an empty array, null and absent are the same.
 * - `ignored`: not looked at.
 * - `json`: text that is the same JSON.
 * - `content`: of a message; a string is one part of text, each part has its own rules.
 */
export type Tolerance = 'nullable' | 'optional' | 'callId' | 'empty' | 'ignored' | 'json' | 'content';
export type Tolerances = ReadonlyMap<string, Tolerance>;

const tolerances = (table: Readonly<Record<string, Tolerance>>): Tolerances => new Map(Object.entries(table));

/** Rules of every known item. `type` was compared before. `id` and `status` come from the server, and SDKs drop them. */
const commonTolerances = { type: 'ignored', id: 'optional', status: 'optional' } as const;
const defaultTolerances = tolerances(commonTolerances);

/**
 * The one table of tolerance, by type of item; `docs/continuation.md` explains it. Types that are not listed are compared exactly,
 * field by field. Whatever a model can read (text, names, call ids, images, encrypted content) is never tolerated to differ.
 */
const items: ReadonlyMap<string, Tolerances> = new Map([
  // An SDK may drop the phase; two different ones are two different messages.
  ['message', tolerances({ ...commonTolerances, content: 'content', phase: 'optional' })],
  ['reasoning', tolerances({ ...commonTolerances, summary: 'empty', content: 'empty' })],
  ['function_call', tolerances({ ...commonTolerances, id: 'callId', arguments: 'json', parsed_arguments: 'ignored' })],
  // The output names the id, which must be there.
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

/** The rules of an item; undefined for one that is compared exactly. */
export function rulesOf(item: JsonObject): Tolerances | undefined {
  const type = typeOf(item);
  return type === undefined ? undefined : items.get(type);
}

/** The rules of a part of a message's content. */
export function partRulesOf(part: JsonObject): Tolerances {
  return field(part, 'type') === 'output_text' ? outputText : anyPart;
}

/**
 * Whether an item of the caller's input is the item that the server holds. The relation is not transitive: an item without an id is equivalent to two items
 * with different ids. A stored item must therefore never be replaced by an equivalent one.
 */
export function equivalent(stored: Json, given: Json): boolean {
  // Most items are equal, and no rule is needed.
  if (equal(stored, given)) return true;
  if (!isObject(stored) || !isObject(given)) return false;
  const type = typeOf(given);
  // A reference means the server's item with that id. The reverse is not certain: the item of a stored reference is unknown here, and the given item may
  // have been edited.
  if (type === 'item_reference') return isReference(given) && field(stored, 'id') === given['id'];
  if (type !== typeOf(stored)) return false;
  const rules = rulesOf(given);
  return rules !== undefined && equivalentFields(stored, given, rules);
}

/** The type of an item; messages may leave it out. */
export function typeOf(item: JsonObject): string | undefined {
  const type = field(item, 'type') ?? null;
  if (type === null && typeof field(item, 'role') === 'string') return 'message';
  return typeof type === 'string' ? type : undefined;
}

/** `item_reference`, with an id and nothing else. */
export function isReference(item: JsonObject): boolean {
  return (
    field(item, 'type') === 'item_reference' && typeof field(item, 'id') === 'string' && Object.keys(item).length === 2
  );
}

/** The type of the part that a string `content` stands for, by role. */
export function textTypeOf(role: Json | undefined): string | undefined {
  if (role === 'assistant') return 'output_text';
  return role === 'user' || role === 'system' || role === 'developer' ? 'input_text' : undefined;
}

function equivalentFields(stored: JsonObject, given: JsonObject, rules: Tolerances): boolean {
  for (const name of Object.keys(given)) {
    if (!equivalentField(field(stored, name), given[name], given, rules.get(name))) return false;
  }
  for (const name of Object.keys(stored)) {
    if (!Object.hasOwn(given, name) && !equivalentField(stored[name], undefined, given, rules.get(name))) return false;
  }
  return true;
}

function equivalentField(
  stored: Json | undefined,
  given: Json | undefined,
  item: JsonObject,
  tolerance: Tolerance = 'nullable',
): boolean {
  const [a, b] = [stored ?? null, given ?? null];
  return a === b || comparisons[tolerance](a, b, item);
}

/** The comparison of each tolerance, for values that are not identical; null stands for absent. */
const comparisons: Readonly<Record<Tolerance, (a: Json, b: Json, item: JsonObject) => boolean>> = {
  nullable: (a, b) => equal(a, b),
  optional: (a, b) => a === null || b === null || equal(a, b),
  callId: (a, b, item) => [a, b].some((id) => id === null || id === field(item, 'call_id')) || equal(a, b),
  empty: (a, b) => (isEmpty(a) && isEmpty(b)) || equal(a, b),
  ignored: () => true,
  json: (a, b) => (typeof a === 'string' && typeof b === 'string' ? equalJsonText(a, b) : equal(a, b)),
  content: (a, b, item) => equivalentContent(a, b, textTypeOf(field(item, 'role'))),
};

function isEmpty(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function equivalentContent(stored: Json, given: Json, textType: string | undefined): boolean {
  const [a, b] = [partsOf(stored, textType), partsOf(given, textType)];
  if (!Array.isArray(a) || !Array.isArray(b)) return equal(a, b);
  return a.length === b.length && a.every((part, index) => equivalentPart(part, b[index] ?? null));
}

export function partsOf<Value extends Json>(content: Value, textType: string | undefined): Value | Json {
  return typeof content === 'string' && textType !== undefined ? [{ type: textType, text: content }] : content;
}

function equivalentPart(stored: Json, given: Json): boolean {
  if (!isObject(stored) || !isObject(given)) return equal(stored, given);
  return equivalentFields(stored, given, partRulesOf(given));
}
