import { Refusal } from '../../wire/refusal.js';
import { unsupportedValue } from '../../request/schema-refusal.js';

interface Page<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

const orders = ['asc', 'desc'];

/** One page of a list, as `limit` (1 to 100, default 20), `order` (default `desc`) and `after` (an id) ask for it. */
export function pageOf<T extends { readonly id: string }>(oldestFirst: readonly T[], query: URLSearchParams): Page<T> {
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    const code = limit > 100 ? 'integer_above_max_value' : 'integer_below_min_value';
    throw new Refusal("Invalid 'limit': expected an integer from 1 to 100.", { code, param: 'limit' });
  }
  const order = query.get('order') ?? 'desc';
  if (!orders.includes(order)) {
    throw new Refusal(unsupportedValue(order, orders), { code: 'invalid_value', param: 'order' });
  }
  const all = order === 'asc' ? oldestFirst : oldestFirst.toReversed();
  const after = query.get('after');
  const at = after === null ? -1 : all.findIndex(({ id }) => id === after);
  if (after !== null && at === -1) {
    throw new Refusal(`Item with id '${after}' not found.`, { code: 'invalid_value', param: 'after' });
  }
  return listOf(all.slice(at + 1, at + 1 + limit), at + 1 + limit < all.length);
}

export function listOf<T extends { readonly id: string }>(data: readonly T[], has_more = false): Page<T> {
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more };
}
