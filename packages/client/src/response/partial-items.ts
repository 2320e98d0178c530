import { PartialItem } from './partial-item.js';
import type { Fields } from './partial-item.js';
import type { JsonObject } from '../json/json.js';
import type { ItemPatch } from '../protocol/event-types.js';
import type { Frame } from '../protocol/frame.js';

type Key = number | string;

/** Consecutive deltas of the same text of the same item. */
interface DeltaRun {
  readonly key: Key;
  readonly partial: PartialItem;
  readonly patch: ItemPatch;
  /** The index of the part. */
  readonly part: unknown;
  /** The deltas, joined once when another event comes. */
  readonly texts: string[];
  bytes: number;
}

/** The items that are not finished, as their deltas tell them. Frames that came as text are parsed when they are needed. */
export class PartialItems {
  readonly #items = new Map<Key, PartialItem>();
  /** Frames that came as text. */
  #unparsed: Frame[] = [];
  #unparsedBytes = 0;
  /** How many items have begun, and how many of these have finished, while frames wait as text. */
  #begun = 0;
  #finished = 0;
  /** The deltas that came last; they are added to their item when another event comes. */
  #run: DeltaRun | undefined;

  /** The bytes of all deltas that are kept, as they came. */
  bytes = 0;

  get empty(): boolean {
    return this.#items.size === 0 && this.#unparsed.length === 0;
  }

  /** Adds a frame whose type is a delta of an item. */
  add(frame: Frame): void {
    this.bytes += frame.size;
    if (frame.parsed) return this.#read(frame, frame.event as unknown as Fields);
    if (frame.type === 'response.output_item.added') this.#begun += 1;
    this.#unparsed.push(frame);
    this.#unparsedBytes += frame.size;
  }

  /** The finished item has come. Gives its partial where it `wants` one, and forgets it. */
  finish(index: unknown, wants: boolean): PartialItem | undefined {
    this.#finished += 1;
    // Items usually come one after the other: the deltas of a finished one can be dropped unparsed.
    if (!wants && this.#begun > 0 && this.#finished >= this.#begun) this.#dropUnparsed();
    else this.#parse();
    const key = typeof index === 'number' ? index : undefined;
    const partial = key === undefined ? undefined : this.#items.get(key);
    if (partial === undefined || key === undefined) return undefined;
    this.#flush();
    this.#items.delete(key);
    this.bytes -= partial.bytes;
    return partial;
  }

  /** The items that were never finished, by their index, where it is known. */
  rest(): [Key, JsonObject][] {
    this.#parse();
    this.#flush();
    return [...this.#items].map(([key, { item }]) => [key, item]);
  }

  /** The types of the items that have deltas, as far as they are known without parsing. */
  types(): Set<unknown> {
    const types = new Set<unknown>(this.#unparsed.map(({ traits }) => traits.patch?.of));
    for (const { item } of this.#items.values()) types.add(item['type']);
    return types;
  }

  #read(frame: Frame, event: Fields): void {
    const { patch } = frame.traits;
    if (patch === undefined) return;
    const { output_index: index, item_id: id } = event;
    const key = typeof index === 'number' ? index : typeof id === 'string' ? id : (patch.of ?? '');
    const part = patch.index === undefined ? undefined : event[patch.index];
    const last = this.#run;
    const { delta } = event;
    if (
      last !== undefined &&
      last.patch === patch &&
      last.key === key &&
      last.part === part &&
      typeof delta === 'string'
    ) {
      last.texts.push(delta);
      last.bytes += frame.size;
      return;
    }
    this.#flush();
    let partial = this.#items.get(key);
    if (partial === undefined) this.#items.set(key, (partial = new PartialItem()));
    partial.add(event, patch, frame.size);
    if (patch.append === 'delta') this.#run = { key, partial, patch, part, texts: [], bytes: 0 };
  }

  /** Adds the deltas of the current run to their item. */
  #flush(): void {
    const last = this.#run;
    this.#run = undefined;
    if (last === undefined || last.texts.length === 0) return;
    const { partial, patch, part, texts, bytes } = last;
    const delta = texts.join('');
    partial.add(patch.index === undefined ? { delta } : { delta, [patch.index]: part }, patch, bytes);
  }

  #parse(): void {
    const texts = this.#unparsed;
    this.#unparsed = [];
    this.#unparsedBytes = 0;
    for (const frame of texts) {
      const event = frame.eventOrUndefined;
      if (event !== undefined) this.#read(frame, event as unknown as Fields);
    }
  }

  #dropUnparsed(): void {
    this.bytes -= this.#unparsedBytes;
    this.#unparsed = [];
    this.#unparsedBytes = 0;
    this.#begun = this.#finished = 0;
  }
}
