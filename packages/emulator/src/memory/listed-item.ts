import type { IdPrefix, Ids } from '../wire/ids.js';
import type { Item } from '../wire/wire.js';

const prefixes: Readonly<Record<string, IdPrefix>> = { message: 'msg', reasoning: 'rs', function_call: 'fc' };

/**
 * Gives items the form in which the API lists them: with an id and a type; messages also with a status, and with their text as a content
 * part. An item without an id gets one when it is first listed, and keeps it.
 */
export class ListedItems {
  readonly #ids: Ids;
  readonly #listed = new WeakMap<Item, ListedItem>();

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  of(item: Item): ListedItem {
    const known = this.#listed.get(item);
    if (known !== undefined) return known;
    const listed = this.#form(item);
    this.#listed.set(item, listed);
    return listed;
  }

  #form(item: Item): ListedItem {
    const type = item.type ?? 'message';
    const id = typeof item['id'] === 'string' ? item['id'] : this.#ids.next(prefixes[type] ?? 'item');
    if (type !== 'message') return { ...item, type, id };
    return { status: 'completed', ...item, type, id, content: partsOf(item) };
  }
}

export type ListedItem = Item & { readonly id: string };

function partsOf({ role, content }: Item): unknown {
  if (typeof content !== 'string') return content;
  if (role !== 'assistant') return [{ type: 'input_text', text: content }];
  return [{ type: 'output_text', annotations: [], logprobs: [], text: content }];
}
