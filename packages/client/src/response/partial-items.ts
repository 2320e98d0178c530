import { Frame } from '../protocol/frame.js';
import { PartialItem } from './partial-item.js';
import type { Fields } from './partial-item.js';
import type { JsonObject } from '../json/json.js';

type Key = number | string;

/**
 * The items that are not finished, as their deltas tell them. Deltas are kept as text, and read when something asks for an item: most items are finished by
 * their server, and nothing asks for their deltas.
 */
export class PartialItems {
  /** Items whose deltas were read. */
  #items: Map<Key, PartialItem> | undefined;
  /** The texts of frames that were not read. The event of a frame cannot stand for its text, because the consumer may edit it. */
  #unread: string[] = [];
  #unreadBytes = 0;
  /** The index of the item that all unread frames belong to; undefined where they differ, or where one does not say. */
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
  finish(index: unknown, wants: boolean): PartialItem | undefined {
    // Items usually come one after the other: all that is unread belongs to this one, and can be dropped.
    const key = typeof index === 'number' ? index : undefined;
    if (!wants && key !== undefined && key === this.#unreadIndex) this.#dropUnread();
    else this.#read();
    const partial = key === undefined ? undefined : this.#items?.get(key);
    if (partial === undefined || key === undefined) return undefined;
    this.#items?.delete(key);
    this.bytes -= partial.bytes;
    return partial;
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

  #add({ traits: { patch }, size }: Frame, event: Fields): void {
    if (patch === undefined) return;
    const { output_index: index, item_id: id } = event;
    const key = typeof index === 'number' ? index : typeof id === 'string' ? id : (patch.of ?? '');
    const items = (this.#items ??= new Map());
    let partial = items.get(key);
    if (partial === undefined) items.set(key, (partial = new PartialItem()));
    partial.add(event, patch, size);
  }

  #dropUnread(): void {
    this.bytes -= this.#unreadBytes;
    this.#unread = [];
    this.#unreadBytes = 0;
  }
}

const indexName = /"output_index": ?(\d+)/;

/** The index of the item that an event belongs to; searched in the text of a frame that is not parsed. */
function itemIndexOf(frame: Frame): number | undefined {
  if (!frame.parsed) {
    const digits = indexName.exec(frame.text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }
  const { output_index: index } = frame.event as { output_index?: unknown };
  return typeof index === 'number' ? index : undefined;
}
