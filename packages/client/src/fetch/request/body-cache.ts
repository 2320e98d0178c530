import { randomUUID } from 'node:crypto';
import { markIntegers } from '../../json/exact-integers.js';
import { isObject } from '../../json/json.js';
import { snapshot } from '../../json/snapshot.js';
import { detached } from './body-text.js';
import { closingBracket, inputArrayIn } from '../../json/json-scan.js';
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
interface CachedBody<Piece> {
  /** The body up to the bracket that closes its input, in the pieces that one body after the other has added. */
  pieces: readonly Piece[];
  /** The last units before the closing bracket, compared first: few bodies have the same ones. */
  mark: Piece;
  /** Where the closing bracket stands. */
  end: number;
  /** The text before the bracket that opens the input. */
  head: string;
  /** The text from the closing bracket on. */
  rest: string;
  params: JsonObject;
  items: readonly Json[];
}

/** The shortest body that is kept, in its units. With the budget it bounds their number. */
const minCachedLength = 16 * 1024;

const markLength = 64;

/** The estimated memory of a unit: one byte in the body, one in what it was parsed to. */
const bytesPerUnit = 2;

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
export class BodyCache<Body extends Sized, Piece extends Sized> {
  readonly #text: BodyTextOperations<Body, Piece>;
  #maxBytes: number;
  /** Bodies in the order of their last use. */
  #bodies: CachedBody<Piece>[] = [];
  #bytes = 0;

  constructor(text: BodyTextOperations<Body, Piece>, maxBytes: number) {
    this.#text = text;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#bodies.length;
  }

  /** @returns undefined for a body that is no JSON object, or that has no snapshot. */
  read(body: Body): ParsedBody | undefined {
    const known = body.length < minCachedLength ? undefined : this.#findPrefix(body);
    const grown = known && this.#extend(known, body);
    if (grown !== undefined) return { params: grown.params, keep: () => this.#keep(grown, known) };
    const text = this.#text.decode(body, 0);
    const params = text === undefined ? undefined : parse(text);
    if (text === undefined || !isObject(params)) return undefined;
    // Now, and not when the turn has ended: the text is not kept that long, so that its memory is free again at the next collection of young objects.
    const located = this.#locateInput(body, text, params);
    return { params, keep: () => this.#keep(located) };
  }

  /** Forgets all bodies, and keeps none from now on. */
  close(): void {
    this.#maxBytes = 0;
    this.#bodies = [];
    this.#bytes = 0;
  }

  /** The newest cached body that `body` begins with, up to the end of its input. */
  #findPrefix(body: Body): CachedBody<Piece> | undefined {
    return this.#bodies.findLast(
      ({ end, mark, pieces }) =>
        end < body.length && this.#text.hasAt(body, end - mark.length, mark) && this.#beginsWith(body, pieces),
    );
  }

  #beginsWith(body: Body, pieces: readonly Piece[]): boolean {
    let at = 0;
    for (const piece of pieces) {
      if (!this.#text.hasAt(body, at, piece)) return false;
      at += piece.length;
    }
    return true;
  }

  #locateInput(body: Body, text: string, params: JsonObject): CachedBody<Piece> | undefined {
    const { input } = params;
    if (body.length < minCachedLength || !Array.isArray(input) || input.length === 0) return undefined;
    const begin = inputArrayIn(text);
    const close = begin === undefined ? -1 : closingBracket(text, begin + 1);
    if (begin === undefined || close === -1) return undefined;
    const rest = detached(text.slice(close));
    const end = body.length - this.#text.lengthOf(rest);
    return {
      pieces: [this.#text.copy(body, 0, end)],
      mark: this.#markIn(body, end),
      end,
      head: detached(text.slice(0, begin)),
      rest,
      params,
      items: input,
    };
  }

  #markIn(body: Body, end: number): Piece {
    return this.#text.copy(body, Math.max(1, end - markLength), end);
  }

  /**
   * Parses a body that begins with a known one, up to the end of its input. It has three parts: what is known, ending after an item; more items,
   * which must be an array when brackets are put around them; and what follows the array, which must be an object behind the fields that stand before
   * it. Where both are valid there is no other way to read the whole, wherever it was cut.
   */
  #extend(known: CachedBody<Piece>, body: Body): CachedBody<Piece> | undefined {
    const news = this.#text.decode(body, known.end);
    const close = news === undefined ? -1 : closingBracket(news, 0);
    if (news === undefined || close === -1) return undefined;
    const added = itemsIn(news.slice(0, close));
    const fields = added && fieldsAround(known, news.slice(close));
    if (added === undefined || fields === undefined) return undefined;
    const end = body.length - this.#text.lengthOf(news.slice(close));
    const items = [...known.items, ...added];
    return {
      pieces: this.#append(known.pieces, this.#text.copy(body, known.end, end)),
      mark: this.#markIn(body, end),
      end,
      head: known.head,
      rest: fields.rest,
      params: { ...fields.params, input: items },
      items,
    };
  }

  /**
   * Adds a piece. Each piece costs a comparison of its own, so a piece is joined to those before it unless they are twice as long: there are never
   * many, and none is copied often.
   */
  #append(pieces: readonly Piece[], piece: Piece): readonly Piece[] {
    let last = piece;
    let count = pieces.length;
    for (
      let before: Piece | undefined;
      (before = pieces[count - 1]) !== undefined && before.length < 2 * last.length;
      count -= 1
    )
      last = this.#text.join(before, last);
    return [...pieces.slice(0, count), last];
  }

  #keep(body: CachedBody<Piece> | undefined, before?: CachedBody<Piece>): void {
    if (body === undefined || cachedBytes(body) > this.#maxBytes) return;
    if (before !== undefined) this.#drop(before);
    this.#bodies.push(body);
    this.#bytes += cachedBytes(body);
    while (this.#bytes > this.#maxBytes) this.#drop(this.#bodies[0]);
  }

  #drop(body: CachedBody<Piece> | undefined): void {
    const at = body === undefined ? -1 : this.#bodies.indexOf(body);
    if (body === undefined || at === -1) return;
    this.#bodies.splice(at, 1);
    this.#bytes -= cachedBytes(body);
  }
}

function cachedBytes({ end, rest }: CachedBody<unknown>): number {
  return (end + rest.length) * bytesPerUnit;
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
  { head, rest, params }: Pick<CachedBody<unknown>, 'head' | 'rest' | 'params'>,
  after: string,
): Pick<CachedBody<unknown>, 'params' | 'rest'> | undefined {
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
