import { Draft } from './draft.js';
import type { Fields } from './draft.js';
import type { JsonObject } from '../chain/json.js';
import type { Piece } from '../protocol/event-types.js';
import type { Frame } from '../protocol/frame.js';

type Key = number | string;

/** Pieces that come one after the other, and are appended to the same text of the same item: nearly all of them. */
interface Run {
  readonly key: Key;
  readonly draft: Draft;
  readonly piece: Piece;
  /** The index of the part. */
  readonly part: unknown;
  /** Pieces of the text: to join them once costs less than to append each. */
  readonly texts: string[];
  bytes: number;
}

/** The items that are not finished: what their pieces have brought so far. Text that nobody has parsed is parsed when it is needed. */
export class Drafts {
  readonly #drafts = new Map<Key, Draft>();
  /** Pieces that came as text. */
  #texts: Frame[] = [];
  #textBytes = 0;
  /** Items that have begun, and of these finished: while pieces wait as text. */
  #begun = 0;
  #finished = 0;
  /** The draft whose piece came last; what follows on it is a text that is added to it once another piece comes. */
  #last: Run | undefined;

  /** Of the pieces held, as they came. */
  bytes = 0;

  get empty(): boolean {
    return this.#drafts.size === 0 && this.#texts.length === 0;
  }

  /** A frame whose type is a piece. */
  add(frame: Frame): void {
    this.bytes += frame.size;
    if (frame.parsed) return this.#read(frame, frame.event as unknown as Fields);
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
    this.#flush();
    this.#drafts.delete(key);
    this.bytes -= draft.bytes;
    return draft;
  }

  /** Those that were never finished, by the index of their item, where it is known. */
  rest(): [Key, JsonObject][] {
    this.#parse();
    this.#flush();
    return [...this.#drafts].map(([key, { item }]) => [key, item]);
  }

  /** The types of items of which there are pieces, as far as it can be told without parsing. */
  types(): Set<unknown> {
    const types = new Set<unknown>(this.#texts.map(({ traits }) => traits.piece?.of));
    for (const { item } of this.#drafts.values()) types.add(item['type']);
    return types;
  }

  #read(frame: Frame, event: Fields): void {
    const { piece } = frame.traits;
    if (piece === undefined) return;
    const { output_index: index, item_id: id } = event;
    const key = typeof index === 'number' ? index : typeof id === 'string' ? id : (piece.of ?? '');
    const part = piece.index === undefined ? undefined : event[piece.index];
    const last = this.#last;
    const { delta } = event;
    if (
      last !== undefined &&
      last.piece === piece &&
      last.key === key &&
      last.part === part &&
      typeof delta === 'string'
    ) {
      last.texts.push(delta);
      last.bytes += frame.size;
      return;
    }
    this.#flush();
    let draft = this.#drafts.get(key);
    if (draft === undefined) this.#drafts.set(key, (draft = new Draft()));
    draft.add(event, piece, frame.size);
    if (piece.append === 'delta') this.#last = { key, draft, piece, part, texts: [], bytes: 0 };
  }

  /** What was gathered becomes a part of its draft. */
  #flush(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last === undefined || last.texts.length === 0) return;
    const { draft, piece, part, texts, bytes } = last;
    const delta = texts.join('');
    draft.add(piece.index === undefined ? { delta } : { delta, [piece.index]: part }, piece, bytes);
  }

  #parse(): void {
    const texts = this.#texts;
    this.#texts = [];
    this.#textBytes = 0;
    for (const frame of texts) {
      const event = frame.eventIfAny;
      if (event !== undefined) this.#read(frame, event as unknown as Fields);
    }
  }

  #dropTexts(): void {
    this.bytes -= this.#textBytes;
    this.#texts = [];
    this.#textBytes = 0;
    this.#begun = this.#finished = 0;
  }
}
