import type { JsonObject } from '../json/json.js';
import type { Item } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';

/** The fields of an item that no delta has set, by type. */
const defaults: ReadonlyMap<unknown, JsonObject> = new Map([
  ['message', { role: 'assistant', content: [] }],
  ['reasoning', { summary: [] }],
  ['function_call', { arguments: '' }],
  ['custom_tool_call', { input: '' }],
  ['mcp_call', { arguments: '' }],
  ['code_interpreter_call', { code: '', outputs: null }],
]);

const partDefaults: ReadonlyMap<unknown, JsonObject> = new Map([
  ['output_text', { text: '', annotations: [] }],
  ['refusal', { refusal: '' }],
  ['reasoning_text', { text: '' }],
  ['summary_text', { text: '' }],
]);

/** Calls that the client answers by their `call_id`. */
const clientCalls: ReadonlySet<unknown> = new Set(['custom_tool_call', 'function_call', 'shell_call']);
const namedCalls: ReadonlySet<unknown> = new Set(['custom_tool_call', 'function_call', 'mcp_call']);

export interface CompletedItem {
  item: Item;
  /** No part of the item had to be guessed. */
  certain: boolean;
  /** Why the item cannot be used, as a sentence. */
  problem: string | undefined;
}

/** Makes a whole item of a partial one, once its response has ended. */
export function completeItem(partial: JsonObject, { status }: Response): CompletedItem {
  const type = typeof partial['type'] === 'string' ? partial['type'] : 'message';
  const item = withWholeParts({ ...defaults.get(type), ...partial });
  if (type !== 'reasoning' || item['status'] !== undefined)
    item['status'] = item['status'] === 'completed' || status === 'completed' ? 'completed' : 'incomplete';
  const isUnnamed = namedCalls.has(type) && typeof item['name'] !== 'string';
  // Any id will do in the full input that follows, as long as the call and its output have the same.
  const isGuessed = clientCalls.has(type) && typeof item['call_id'] !== 'string';
  if (isGuessed) item['call_id'] = item['id'] ?? 'call';
  return {
    item: item as unknown as Item,
    certain: !isGuessed && !isUnnamed,
    problem: isUnnamed
      ? `the response ended without its output, and of a ${type} only pieces came, without the name of what is called`
      : undefined,
  };
}

/** Changes an item: its parts get the fields that no delta has set. */
export function withWholeParts(item: JsonObject): JsonObject {
  for (const list of ['content', 'summary'])
    if (Array.isArray(item[list])) item[list] = item[list].filter((part) => part !== undefined).map(wholePart);
  return item;
}

function wholePart<Part>(part: Part): Part | JsonObject {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return { ...partDefaults.get((part as JsonObject)['type']), ...(part as JsonObject) };
}
