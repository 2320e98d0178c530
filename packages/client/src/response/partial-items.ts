import { Frame } from '../protocol/frame.js';
import { PartialItem } from './partial-item.js';
import type { Fields } from './partial-item.js';
import type { JsonObject } from '../json/json.js';
import type { Item } from '../protocol/items.js';

/** The index of an item; where its server gives none, its id or its type. */
type Key = number | string;

/**
 * The items that are not finished, as their deltas tell them. Deltas are kept as text, and read when something asks for an item: most items are finished by
 * their server, and no part of the client needs their deltas.
 */
export class PartialItems {
  /** Items whose deltas were read. */
  #items: Map<Key, PartialItem> | undefined;
  /** The keys of items whose `response.output_item.added` has come. */
  #announced: Set<Key> | undefined;
  /** The texts of frames that were not read. The event of a frame cannot stand for its text, because the consumer may edit it. */
  #unread: string[] = [];
  #unreadBytes = 0;
  /** The index of the item that all unread frames belong to; undefined where the frames differ, or where a frame names no index. */
  #unreadIndex: number | undefined;

  /** The bytes of all deltas that are kept, as they came. */
  bytes = 0;

  get empty(): boolean {
    return (this.#items?.size ?? 0) === 0 && this.#unread.length === 0;
  }

  /** Adds a frame whose type is a delta of an item. */
  add(frame: Frame): void {
    const index = itemIndexOf(frame);
    this.#unreadIndex = this.#unread.length === 0 || index === this.#unreadIndex ? index : undefined;
    this.bytes += frame.size;
    this.#unreadBytes += frame.size;
    this.#unread.push(frame.text);
  }

  /** The finished item has come. Gives its partial where it `wants` one, and forgets it. */
  finish(index: number | undefined, item: Item, wants: boolean): PartialItem | undefined {
    // Items usually come one after the other: all that is unread belongs to this one, and can be dropped.
    if (!wants && index !== undefined && index === this.#unreadIndex) this.#dropUnread();
    else this.#read();
    const key = index ?? this.#keyOf(item);
    const partial = key === undefined ? undefined : this.#items?.get(key);
    if (partial === undefined || key === undefined) return undefined;
    this.#items?.delete(key);
    this.#announced?.delete(key);
    this.bytes -= partial.bytes;
    return partial;
  }

  /** Whether pieces of an item with this index have come, which is not finished. */
  begun(index: number | undefined): boolean {
    if (index === undefined) return false;
    return (this.#unread.length > 0 && this.#unreadIndex === index) || this.#items?.has(index) === true;
  }

  /** The key of an item whose index is not known: its id, else the first item of its type, because some servers change ids. */
  #keyOf({ id, type }: Item): Key | undefined {
    if (typeof id === 'string' && this.#items?.has(id) === true) return id;
    return [...(this.#items ?? [])].find(([key, { item }]) => typeof key === 'string' && item['type'] === type)?.[0];
  }

  /** The items that were never finished, by their index, where it is known. */
  rest(): [Key, JsonObject][] {
    this.#read();
    return [...(this.#items ?? [])].map(([key, { item }]) => [key, item]);
  }

  /** Whether an item of this type has deltas. */
  has(type: unknown): boolean {
    return this.rest().some(([, item]) => item['type'] === type);
  }

  #read(): void {
    const texts = this.#unread;
    this.#unread = [];
    this.#unreadBytes = 0;
    for (const text of texts) {
      const frame = Frame.peek(text);
      if (frame.eventOrUndefined !== undefined) this.#add(frame, frame.event as unknown as Fields);
    }
  }

  #add({ type, traits: { patch }, size }: Frame, event: Fields): void {
    if (patch === undefined) return;
    const { item_id: id, item } = event as { item_id?: unknown; item?: { id?: unknown } | null };
    const named = id ?? item?.id;
    const key = indexOf(event) ?? (typeof named === 'string' ? named : (patch.of ?? ''));
    const items = (this.#items ??= new Map());
    if (type === 'response.output_item.added') this.#announce(key, items);
    let partial = items.get(key);
    if (partial === undefined) items.set(key, (partial = new PartialItem()));
    partial.add(event, patch, size);
  }

  /** An item begins. One that has its index already is set aside: some servers count every item as the first one. */
  #announce(key: Key, items: Map<Key, PartialItem>): void {
    const announced = (this.#announced ??= new Set());
    const earlier = announced.has(key) ? items.get(key) : undefined;
    announced.add(key);
    if (earlier === undefined) return;
    items.delete(key);
    items.set(`${key} ${items.size}`, earlier);
  }

  #dropUnread(): void {
    this.bytes -= this.#unreadBytes;
    this.#unread = [];
    this.#unreadBytes = 0;
  }
}

/** The index of the item of an event; undefined where its server gives none. */
export function indexOf({ output_index: index }: { output_index?: unknown }): number | undefined {
  if (typeof index === 'string' && /^\d{1,6}$/.test(index)) return Number(index);
  return typeof index === 'number' ? index : undefined;
}

const indexName = /"output_index": ?(\d+)/;

/** The index of the item that an event belongs to; searched in the text of a frame that is not parsed. */
function itemIndexOf(frame: Frame): number | undefined {
  if (!frame.parsed) {
    const digits = indexName.exec(frame.text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }
  return indexOf(frame.event as { output_index?: unknown });
}
