import { randomUUID } from 'node:crypto';
import { isObject } from '../../json/json.js';
import { snapshot } from '../../json/snapshot.js';
import { closingBracket, inputArrayIn } from './json-scan.js';
import type { Json, JsonObject } from '../../json/json.js';

/** A parsed body. */
export interface ParsedBody {
  /** A snapshot, which never changes. It shares items with the bodies before it. */
  params: JsonObject;
  /** Called when the turn has ended: the next body may begin with the same text. */
  keep: () => void;
}

/** The text of a body, with the position of its input array: `begin` is the index of its opening bracket, `end` that of its closing one. */
interface CachedBody {
  /** The text before `end`, in the pieces that one body after the other has added. */
  pieces: readonly string[];
  /** The text from `end` on. */
  rest: string;
  begin: number;
  end: number;
  /** The last characters before `end`, compared first: few texts have the same there. */
  mark: string;
  params: JsonObject;
  items: readonly Json[];
}

/** The shortest body that is kept, in characters. With the budget it bounds their number. */
const minCachedLength = 16 * 1024;

const markLength = 64;

/** The budget of bodies, as a part of `chains.maxBytes`, on top of it. */
export const bodyShare = 0.5;

/** The estimated memory of a character. */
const bytesPerCharacter = 2;

/**
 * The bodies of the last turns. A growing history begins with the text of the body before: that text is compared, and only the new part is parsed. Items that
 * were there before are the same objects, which the memory of chains recognises by identity.
 *
 * The result is that of `JSON.parse` for the whole text: a beginning counts as known only if every character was compared. Of a text that has grown only the
 * new part is stored.
 *
 * Kept for its measured worth: without the cache a loop over histories of 1 MB takes 1.7 times the CPU (Node 20.20, 2026-11-30).
 */
export class BodyCache {
  #maxBytes: number;
  /** Bodies in the order of their last use. */
  #bodies: CachedBody[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#bodies.length;
  }

  /** @returns undefined for a text that is no JSON object, or that has no snapshot. */
  read(text: string): ParsedBody | undefined {
    const known = text.length < minCachedLength ? undefined : this.#findPrefix(text);
    const grown = known && extendBody(known, text);
    if (grown !== undefined) return { params: grown.params, keep: () => this.#keep(grown, known) };
    const params = parse(text);
    if (!isObject(params)) return undefined;
    return { params, keep: () => this.#keep(locateInput(text, params)) };
  }

  /** Nothing is remembered any more. */
  close(): void {
    this.#maxBytes = 0;
    this.#bodies = [];
    this.#bytes = 0;
  }

  /** The newest that `text` begins with, up to the end of its input. */
  #findPrefix(text: string): CachedBody | undefined {
    for (let index = this.#bodies.length - 1; index >= 0; index -= 1) {
      const known = this.#bodies[index];
      if (known === undefined) continue;
      const { end, mark } = known;
      if (end >= text.length || !text.startsWith(mark, end - mark.length)) continue;
      if (beginsWith(text, known.pieces)) return known;
    }
    return undefined;
  }

  #keep(body: CachedBody | undefined, before?: CachedBody): void {
    if (body === undefined || bytesOf(body) > this.#maxBytes) return;
    if (before !== undefined) this.#drop(before);
    this.#bodies.push(body);
    this.#bytes += bytesOf(body);
    while (this.#bytes > this.#maxBytes) this.#drop(this.#bodies[0]);
  }

  #drop(body: CachedBody | undefined): void {
    const at = body === undefined ? -1 : this.#bodies.indexOf(body);
    if (body === undefined || at === -1) return;
    this.#bodies.splice(at, 1);
    this.#bytes -= bytesOf(body);
  }
}

function bytesOf({ end, rest }: CachedBody): number {
  return (end + rest.length) * bytesPerCharacter;
}

function beginsWith(text: string, pieces: readonly string[]): boolean {
  let at = 0;
  for (const piece of pieces) {
    // Slices are compared faster than `startsWith` does it.
    if (text.slice(at, at + piece.length) !== piece) return false;
    at += piece.length;
  }
  return true;
}

function locateInput(text: string, params: JsonObject): CachedBody | undefined {
  const { input } = params;
  if (text.length < minCachedLength || !Array.isArray(input) || input.length === 0) return undefined;
  const begin = inputArrayIn(text);
  const end = begin === undefined ? -1 : closingBracket(text, begin + 1);
  if (begin === undefined || end === -1) return undefined;
  return {
    pieces: [text.slice(0, end)],
    rest: text.slice(end),
    begin,
    end,
    mark: markIn(text, end),
    params,
    items: input,
  };
}

function markIn(text: string, end: number): string {
  // A slice would keep the whole text in memory.
  return text
    .slice(Math.max(0, end - markLength), end)
    .split('')
    .join('');
}

/**
 * The body that begins with a known one, up to the end of its input. Of its text there are three parts: what is known, ending after an item; more items,
 * which must be an array when brackets are put around them; and what follows the array, which must be an object behind the fields that stand
 * before it. Where both are valid there is no other way to read the whole, wherever it was cut.
 */
function extendBody(known: CachedBody, text: string): CachedBody | undefined {
  const end = closingBracket(text, known.end);
  if (end === -1) return undefined;
  const added = itemsIn(text.slice(known.end, end));
  const fields = added && fieldsAround(known, text, end);
  if (added === undefined || fields === undefined) return undefined;
  const items = [...known.items, ...added.items];
  return {
    pieces: append(known.pieces, added.text),
    rest: fields.rest,
    begin: known.begin,
    end,
    mark: markIn(text, end),
    params: { ...fields.params, input: items },
    items,
  };
}

/** Each costs a comparison of its own. Joined are those at the end that are not twice as long as what follows: there are never many, and none is copied often. */
function append(pieces: readonly string[], piece: string): readonly string[] {
  let last = piece;
  let count = pieces.length;
  for (let before; (before = pieces[count - 1]) !== undefined && before.length < 2 * last.length; count -= 1)
    last = before + last;
  return [...pieces.slice(0, count), last];
}

/** The items that follow in a text: none, or a comma and more items. The returned text does not keep the whole body in memory. */
function itemsIn(text: string): { text: string; items: Json[] } | undefined {
  const comma = text.startsWith(',') ? ',' : '';
  const array = `[${text.slice(comma.length)}]`;
  const items = parse(array);
  if (!Array.isArray(items) || items.length > 0 !== (comma !== '')) return undefined;
  return { text: comma + array.slice(1, -1), items };
}

/** Replaces the input while the fields around it are parsed. It is random, so that no body can contain it. */
const placeholder = `"${randomUUID()}"`;

function fieldsAround(
  { begin, rest, params }: CachedBody,
  text: string,
  end: number,
): Pick<CachedBody, 'params' | 'rest'> | undefined {
  if (text.slice(end) === rest) return { params, rest };
  const object = `${text.slice(0, begin)}${placeholder}${text.slice(end + 1)}`;
  const fields = parse(object);
  if (!isObject(fields) || fields['input'] !== placeholder.slice(1, -1)) return undefined;
  return { params: fields, rest: `]${object.slice(begin + placeholder.length)}` };
}

function parse(text: string): Json | undefined {
  try {
    return snapshot(JSON.parse(text));
  } catch {
    return undefined;
  }
}
