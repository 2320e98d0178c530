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
  readonly #items = new Map<Key, PartialItem>();
  /** The texts of frames that were not read. The event of a frame cannot stand for its text, because the consumer may edit it. */
  #unread: string[] = [];
  #unreadBytes = 0;

  /** The bytes of all deltas that are kept, as they came. */
  bytes = 0;

  get empty(): boolean {
    return this.#items.size === 0 && this.#unread.length === 0;
  }

  /** Adds a frame whose type is a delta of an item. */
  add(frame: Frame): void {
    this.bytes += frame.size;
    this.#unreadBytes += frame.size;
    this.#unread.push(frame.text);
  }

  /** The finished item has come. Gives its partial where it `wants` one, and forgets it. */
  finish(index: unknown, wants: boolean): PartialItem | undefined {
    // Items usually come one after the other: all that is unread belongs to this one, and can be dropped.
    if (!wants && this.#unread.every((text) => isOfItem(text, index))) this.#dropUnread();
    else this.#read();
    const key = typeof index === 'number' ? index : undefined;
    const partial = key === undefined ? undefined : this.#items.get(key);
    if (partial === undefined || key === undefined) return undefined;
    this.#items.delete(key);
    this.bytes -= partial.bytes;
    return partial;
  }

  /** The items that were never finished, by their index, where it is known. */
  rest(): [Key, JsonObject][] {
    this.#read();
    return [...this.#items].map(([key, { item }]) => [key, item]);
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
    let partial = this.#items.get(key);
    if (partial === undefined) this.#items.set(key, (partial = new PartialItem()));
    partial.add(event, patch, size);
  }

  #dropUnread(): void {
    this.bytes -= this.#unreadBytes;
    this.#unread = [];
    this.#unreadBytes = 0;
  }
}

const indexName = '"output_index":';

/** Whether an event in JSON belongs to the item of this index. False where that takes more than a look; the event is read then. */
function isOfItem(text: string, index: unknown): boolean {
  if (typeof index !== 'number') return false;
  let at = text.indexOf(indexName);
  if (at === -1) return false;
  at += indexName.length;
  if (text[at] === ' ') at += 1;
  const digits = String(index);
  return text.startsWith(digits, at) && !/^\d/.test(text.slice(at + digits.length, at + digits.length + 1));
}
