import { equal } from '../json/json.js';
import type { Json } from '../json/json.js';
import type { Item } from '../protocol/items.js';

/**
 * The output of a terminal event that leaves some of the items out, with those in their places.
 *
 * An item counts as left out where the event has fewer items of its type than the response had, and each of these is told apart: by its id, its call id or
 * its content. Anything else is the server's own last word.
 *
 * @param given the output of the terminal event.
 * @param known the items of the response, in order.
 */
export function withMissingItems(given: readonly (Item | null)[], known: readonly Item[]): readonly (Item | null)[] {
  if (known.length <= given.length) return given;
  const places = new Map<Item, Item | null>();
  for (const type of new Set(known.map((item) => item.type))) {
    const said = given.filter((item) => item?.type === type);
    const had = known.filter((item) => item.type === type);
    if (said.length === had.length) for (const [index, item] of had.entries()) places.set(item, said[index] ?? item);
    else if (said.length < had.length) matchItems(said, had, places);
  }
  const output = known.flatMap((item) => places.get(item) ?? []);
  const rest = output.filter((item) => given.includes(item));
  // Items that cannot be told apart, or that came in another order.
  return rest.length === given.length && rest.every((item, index) => item === given[index]) ? output : given;
}

function matchItems(said: readonly (Item | null)[], had: readonly Item[], places: Map<Item, Item | null>): void {
  const left = [...said];
  for (const item of had) {
    const at = left.findIndex((other) => other !== null && isSame(item, other));
    places.set(item, at === -1 ? item : (left.splice(at, 1)[0] ?? item));
  }
}

function isSame(item: Item, other: Item): boolean {
  if (item['call_id'] !== undefined || other['call_id'] !== undefined) return item['call_id'] === other['call_id'];
  if (item.id !== undefined && item.id === other.id) return true;
  const { id: _, status: __, ...content } = item;
  const { id: ___, status: ____, ...otherContent } = other;
  return Object.keys(content).length > 1 && equal(content as unknown as Json, otherContent as unknown as Json);
}
