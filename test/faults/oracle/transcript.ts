import { itemsOf, outputOf } from '../server/items.js';
import type { Exchange } from '../server/exchange.js';
import type { Json } from '../server/events.js';

/**
 * What a server has in mind when it answers: the items of a conversation. And when two of them are the same, written down here once more
 * and independently of the client, which has a table of its own. Alike are: a text and its only part; a message with and without its
 * type; keys in any order; ids, `status`, `parsed`, nulls and empty arrays, there or not; the arguments of a call as JSON; a reference
 * and what it refers to. Everything else is a difference.
 */
export function same(a: readonly Json[], b: readonly Json[]): boolean {
  return canonical(a) === canonical(b);
}

export function canonical(items: readonly Json[]): string {
  return JSON.stringify(items.map(plain));
}

/** The whole input of a request, with what it continues before it. What nobody knows stands there as such. */
export function transcript(request: Json, all: readonly Exchange[], peer?: number, depth = 0): Json[] {
  const items = itemsOf(request['input']);
  const previous = request['previous_response_id'];
  if (typeof previous !== 'string') return resolve(items, items);
  const known = all.filter(({ responses }) => responses.includes(previous));
  const parent = known.findLast((exchange) => exchange.peer === peer) ?? known.at(-1);
  if (parent === undefined || depth > 1000) return [{ type: 'unknown', of: previous }, ...items];
  const before = [...transcript(parent.request, all, parent.peer, depth + 1), ...parent.before, ...outputOf(parent)];
  return [...before, ...resolve(items, [...before, ...items])];
}

function resolve(items: readonly Json[], known: readonly Json[]): Json[] {
  return items.map((item) =>
    item['type'] === 'item_reference'
      ? (known.find((other) => other['id'] === item['id'] && other['type'] !== 'item_reference') ?? item)
      : item,
  );
}

function plain(item: Json): unknown {
  const { type = 'role' in item ? 'message' : undefined, ...rest } = item;
  const fields: Json = { type, ...rest };
  delete fields['id'];
  delete fields['status'];
  if (type === 'message' && typeof fields['content'] === 'string') {
    const part = fields['role'] === 'assistant' ? 'output_text' : 'input_text';
    fields['content'] = [{ type: part, text: fields['content'] }];
  }
  if (typeof fields['arguments'] === 'string') fields['arguments'] = parsed(fields['arguments']);
  return tidy(fields);
}

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => field !== null && field !== undefined && name !== 'parsed' && !isEmpty(field))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, tidy(field)]),
  );
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
