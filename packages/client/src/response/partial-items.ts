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
  /** How many items have begun, and how many of these have finished, since the unread frames were dropped. */
  #begun = 0;
  #finished = 0;

  /** The bytes of all deltas that are kept, as they came. */
  bytes = 0;

  get empty(): boolean {
    return this.#items.size === 0 && this.#unread.length === 0;
  }

  /** Adds a frame whose type is a delta of an item. */
  add(frame: Frame): void {
    this.bytes += frame.size;
    this.#unreadBytes += frame.size;
    if (frame.type === 'response.output_item.added') this.#begun += 1;
    this.#unread.push(frame.text);
  }

  /** The finished item has come. Gives its partial where it `wants` one, and forgets it. */
  finish(index: unknown, wants: boolean): PartialItem | undefined {
    this.#finished += 1;
    // Items usually come one after the other: the deltas of a finished one can be dropped unread.
    if (!wants && this.#begun > 0 && this.#finished >= this.#begun) this.#dropUnread();
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
    this.#begun = this.#finished = 0;
  }
}
