import { Draft } from './draft.js';
import type { JsonObject } from '../chain/json.js';
import type { Frame } from '../protocol/frame.js';

type Key = number | string;

/** The items that are not finished: what their pieces have brought so far. Text that nobody has parsed is parsed when it is needed. */
export class Drafts {
  readonly #drafts = new Map<Key, Draft>();
  /** Pieces that came as text. */
  #texts: Frame[] = [];
  #textBytes = 0;
  /** Items that have begun, and of these finished: while pieces wait as text. */
  #begun = 0;
  #finished = 0;
  #lastKey: Key | undefined;
  #last: Draft | undefined;

  /** Of the pieces held, as they came. */
  bytes = 0;

  get empty(): boolean {
    return this.#drafts.size === 0 && this.#texts.length === 0;
  }

  /** A frame whose type is a piece. */
  add(frame: Frame): void {
    this.bytes += frame.size;
    if (frame.parsed) return this.#read(frame);
    if (frame.type === 'response.output_item.added') this.#begun += 1;
    this.#texts.push(frame);
    this.#textBytes += frame.size;
  }

  /** The finished item has come. Gives its draft where it `wants` one, and forgets it. */
  finish(index: unknown, wants: boolean): Draft | undefined {
    this.#finished += 1;
    // As a rule one item comes after the other, and nothing has to be parsed to tell whose pieces these were.
    if (!wants && this.#begun > 0 && this.#finished >= this.#begun) this.#dropTexts();
    else this.#parse();
    const key = typeof index === 'number' ? index : undefined;
    const draft = key === undefined ? undefined : this.#drafts.get(key);
    if (draft === undefined || key === undefined) return undefined;
    this.#drafts.delete(key);
    if (this.#last === draft) this.#lastKey = this.#last = undefined;
    this.bytes -= draft.bytes;
    return draft;
  }

  /** Those that were never finished, by the index of their item, where it is known. */
  rest(): [Key, JsonObject][] {
    this.#parse();
    return [...this.#drafts].map(([key, { item }]) => [key, item]);
  }

  /** The types of items of which there are pieces, as far as it can be told without parsing. */
  types(): Set<unknown> {
    const types = new Set<unknown>(this.#texts.map(({ traits }) => traits.piece?.of));
    for (const { item } of this.#drafts.values()) types.add(item['type']);
    return types;
  }

  #read(frame: Frame): void {
    const { piece } = frame.traits;
    const event = frame.eventIfAny;
    if (piece === undefined || event === undefined) return;
    const { output_index: index, item_id: id } = event as { output_index?: unknown; item_id?: unknown };
    const key = typeof index === 'number' ? index : typeof id === 'string' ? id : (piece.of ?? '');
    let draft = this.#last;
    if (draft === undefined || key !== this.#lastKey) {
      draft = this.#drafts.get(key) ?? new Draft();
      this.#drafts.set(key, draft);
      this.#lastKey = key;
      this.#last = draft;
    }
    draft.add(event, piece, frame.size);
  }

  #parse(): void {
    const texts = this.#texts;
    this.#texts = [];
    this.#textBytes = 0;
    for (const frame of texts) this.#read(frame);
  }

  #dropTexts(): void {
    this.bytes -= this.#textBytes;
    this.#texts = [];
    this.#textBytes = 0;
    this.#begun = this.#finished = 0;
  }
}
