import { randomUUID } from 'node:crypto';
import { markIntegers } from '../../json/exact-integers.js';
import { isObject } from '../../json/json.js';
import { snapshot } from '../../json/snapshot.js';
import { detached } from './body-text.js';
import { closingBracket, memberOf } from '../../json/json-scan.js';
import type { Json, JsonObject } from '../../json/json.js';
import type { BodyTextOperations, Sized } from './body-text.js';

/** A parsed body. */
export interface ParsedBody {
  /** A snapshot, which never changes. It shares items with the bodies before it. */
  params: JsonObject;
  /** Called when the turn has ended: the next body may begin with the same text. */
  keep: () => void;
}

/** A body whose input is an array of items. */
interface ListBody {
  /** Where the bracket that closes the input stands. */
  end: number;
  /** The text before the bracket that opens the input. */
  head: string;
  /** The text from the closing bracket on. */
  rest: string;
  params: JsonObject;
  items: readonly Json[];
}

interface CachedBody<Stored> extends ListBody {
  /** The body up to the bracket that closes its input. */
  stored: Stored;
  /** The estimated memory. */
  bytes: number;
  /** The number of bodies that go on from this one and were not kept so far. */
  extensions: number;
}

/** A body that goes on from a known one. */
interface GrownBody<Piece> extends ListBody {
  /** The new items as text, up to the bracket that closes the input. */
  added: Piece;
}

/** The shortest body that is kept, in its units. With the budget it bounds their number. */
const minCachedLength = 16 * 1024;

/**
 * The bodies of the last turns. A growing history begins with the text of the body before: that text is compared, and only the new part is parsed. Items that
 * were there before are the same objects, which the memory of chains recognises by identity.
 *
 * The result is that of `JSON.parse` for the whole text: a beginning counts as known only if every character was compared. Of a text that has grown only the
 * new part is stored.
 *
 * Kept for its measured worth: without the cache the openai SDK takes 1.1 times the CPU in the row `loop`, and 1.2 times over histories of 1 MB (Node
 * 24.21, 2026-11-30).
 */
export class BodyCache<Body extends Sized, Piece, Stored> {
  readonly #text: BodyTextOperations<Body, Piece, Stored>;
  #maxBytes: number;
  /** Bodies in the order of their last use. */
  #bodies: CachedBody<Stored>[] = [];
  #bytes = 0;

  constructor(text: BodyTextOperations<Body, Piece, Stored>, maxBytes: number) {
    this.#text = text;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#bodies.length;
  }

  /** @returns undefined for a body that is no JSON object, or that has no snapshot. */
  read(body: Body): ParsedBody | undefined {
    const known = body.length < minCachedLength ? undefined : this.#findPrefix(body);
    return (known && this.#readGrown(known, body)) ?? this.#readWhole(body);
  }

  #readGrown(known: CachedBody<Stored>, body: Body): ParsedBody | undefined {
    const grown = this.#extend(known, body);
    if (grown === undefined) return undefined;
    known.extensions += 1;
    return { params: grown.params, keep: () => this.#keepGrown(grown, known) };
  }

  #readWhole(body: Body): ParsedBody | undefined {
    const text = this.#text.decode(body, 0);
    const params = text === undefined ? undefined : parse(text);
    if (text === undefined || !isObject(params)) return undefined;
    // Now, and not when the turn has ended: the text is not kept that long, so that its memory is free again at the next collection of young objects.
    const located = this.#locateInput(body, text, params);
    return { params, keep: () => located && this.#keepWhole(located, body) };
  }

  /** Forgets all bodies, and keeps none from now on. */
  close(): void {
    this.#maxBytes = 0;
    this.#bodies = [];
    this.#bytes = 0;
  }

  /** The newest cached body that `body` begins with, up to the end of its input. */
  #findPrefix(body: Body): CachedBody<Stored> | undefined {
    return this.#bodies.findLast(({ end, stored }) => end < body.length && this.#text.isBeginningOf(body, stored));
  }

  #locateInput(body: Body, text: string, params: JsonObject): ListBody | undefined {
    const { input } = params;
    if (body.length < minCachedLength || !Array.isArray(input) || input.length === 0) return undefined;
    const begin = memberOf(text, 0, 'input')?.from;
    const close = begin === undefined ? -1 : closingBracket(text, begin + 1);
    if (begin === undefined || close === -1) return undefined;
    const rest = detached(text.slice(close));
    const end = body.length - this.#text.lengthOf(rest);
    return { end, head: detached(text.slice(0, begin)), rest, params, items: input };
  }

  /**
   * Parses a body that begins with a known one, up to the end of its input. It has three parts: what is known, ending after an item; more items,
   * which must be an array when brackets are put around them; and what follows the array, which must be an object behind the fields that stand before
   * it. Where both are valid there is no other way to read the whole, wherever it was cut.
   */
  #extend(known: ListBody, body: Body): GrownBody<Piece> | undefined {
    const news = this.#text.decode(body, known.end);
    const close = news === undefined ? -1 : closingBracket(news, 0);
    if (news === undefined || close === -1) return undefined;
    const newItems = itemsIn(news.slice(0, close));
    const fields = newItems && fieldsAround(known, news.slice(close));
    if (newItems === undefined || fields === undefined) return undefined;
    const end = body.length - this.#text.lengthOf(news.slice(close));
    const items = [...known.items, ...newItems];
    const added = this.#text.piece(body, known.end, end);
    return { end, head: known.head, rest: fields.rest, params: { ...fields.params, input: items }, items, added };
  }

  #keepWhole(list: ListBody, body: Body): void {
    const bytes = this.#costOf(list);
    if (bytes <= this.#maxBytes) this.#keep(list, this.#text.store(body, list.end), bytes);
  }

  /**
   * Keeps a body in place of the one that it goes on from; where others go on from the same, beside it. What it adds is all that it holds of its bytes meanwhile,
   * so a body whose predecessor was forgotten is not kept.
   */
  #keepGrown(grown: GrownBody<Piece>, known: CachedBody<Stored>): void {
    const { added, ...list } = grown;
    const bytes = this.#costOf(list);
    known.extensions -= 1;
    if (bytes > this.#maxBytes || !this.#bodies.includes(known)) return;
    if (known.extensions > 0) return this.#keep(list, this.#text.grow(this.#text.copy(known.stored), added), bytes);
    this.#remove(known);
    this.#keep(list, this.#text.grow(known.stored, added), bytes);
  }

  #keep(list: ListBody, stored: Stored, bytes: number): void {
    this.#bodies.push({ ...list, stored, bytes, extensions: 0 });
    this.#bytes += bytes;
    for (let oldest; this.#bytes > this.#maxBytes && (oldest = this.#bodies[0]) !== undefined;) {
      this.#remove(oldest);
      this.#text.free(oldest.stored);
    }
  }

  #remove(body: CachedBody<Stored>): void {
    this.#bodies.splice(this.#bodies.indexOf(body), 1);
    this.#bytes -= body.bytes;
  }

  /** The estimated memory. What a body was parsed to takes a byte for each of its units. */
  #costOf({ end, rest }: ListBody): number {
    return this.#text.memoryFor(end) + end + 2 * rest.length;
  }
}

/** The items that follow in a text: none, or a comma and more items. */
function itemsIn(text: string): Json[] | undefined {
  const comma = text.startsWith(',') ? ',' : '';
  const items = parse(`[${text.slice(comma.length)}]`);
  if (!Array.isArray(items) || items.length > 0 !== (comma !== '')) return undefined;
  return items;
}

/** Replaces the input while the fields around it are parsed. It is random, so that no body can contain it. */
const placeholder = `"${randomUUID()}"`;

/** @param after the text from the closing bracket on */
function fieldsAround(
  { head, rest, params }: Pick<ListBody, 'head' | 'rest' | 'params'>,
  after: string,
): Pick<ListBody, 'params' | 'rest'> | undefined {
  if (after === rest) return { params, rest };
  const fields = parse(`${head}${placeholder}${after.slice(1)}`);
  if (!isObject(fields) || fields['input'] !== placeholder.slice(1, -1)) return undefined;
  return { params: fields, rest: detached(after) };
}

function parse(text: string): Json | undefined {
  try {
    return snapshot(JSON.parse(markIntegers(text)));
  } catch {
    return undefined;
  }
}
