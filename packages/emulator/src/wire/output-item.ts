import type { Ids } from './ids.js';
import type { Item } from './wire.js';

/** An event before it has its number. */
export type EventFields = { readonly type: string; readonly [field: string]: unknown };

/** A delta before it has its number: what all deltas of a text have in common is written as JSON once. */
export interface Delta {
  readonly type: string;
  readonly delta: string;
  /** The fields before `delta` and after it, with their commas. */
  readonly before: string;
  readonly after: string;
}

export type UnnumberedEvent = EventFields | Delta;

export function isDelta(step: UnnumberedEvent): step is Delta {
  return typeof step['before'] === 'string';
}

/** The deltas of a text, a piece each. `after` are fields that follow `delta`. */
export function* deltas(
  type: string,
  text: string,
  at: object,
  after: (piece: string) => object = none,
): Generator<Delta> {
  const before = fieldsOf(at);
  let last: object | undefined;
  let fields = '';
  for (const delta of pieces(text)) {
    const more = after(delta);
    if (more !== last) fields = fieldsOf(more);
    last = more;
    yield { type, delta, before, after: fields };
  }
}

/** The fields of an object as JSON, each with a comma before it. */
function fieldsOf(object: object): string {
  const text = JSON.stringify(object).slice(1, -1);
  return text === '' ? '' : `,${text}`;
}

const noFields = {};
const none = () => noFields;

/** Where in the output the events of an item belong. */
export interface ItemPosition {
  readonly item_id: string;
  readonly output_index: number;
}

/** A part of a reply as an item: as it stands when it is announced, the events that fill it, and as it stands when done. */
export interface OutputItem {
  readonly added: Item;
  readonly done: Item;
  /** As the terminal response has it, if that differs from `done`. */
  readonly final?: Item;
  readonly progress: (at: ItemPosition) => Iterable<UnnumberedEvent>;
}

/** What a turn's items depend on beside what is said. */
export interface ItemOptions {
  readonly ids: Ids;
  /** The request's `include`: parts of items that are sent only when asked for. */
  readonly include: ReadonlySet<string>;
  /** Alternatives for each token, if log probabilities are sent. */
  readonly topLogprobs: number;
  /** Whether deltas are padded to one length (P28). */
  readonly obfuscated: boolean;
  /** What the events of the reasoning itself are called. */
  readonly reasoningEvents: string;
  /** Whether a reasoning item always has a `status`. */
  readonly reasoningStatus: boolean;
  /** Room for what the model writes; Infinity without a limit. */
  readonly maxOutputTokens: number;
  /** The model turns before this one, for a compaction to remember. */
  readonly turnsBefore: number;
}

/** How an item ended: only the one that the model was at when it stopped is incomplete. */
export type ItemStatus = 'completed' | 'incomplete';

/** The most deltas one text comes in: beyond that, what an event costs its client says nothing about a model any more. */
const maxDeltas = 8192;

/** Word-like pieces, each with the space before it, none longer than 16 characters; together they are the text. */
export function pieces(text: string): Iterable<string> {
  const words: readonly string[] = text.length > longText ? [] : (text.match(/\s*\S{1,16}|\s+/gu) ?? []);
  return text.length > longText || words.length > maxDeltas ? longPieces(text) : words;
}

/** Longer texts are not cut into words first. */
const longText = 16 * maxDeltas;

/** As many pieces as there may be, each up to a space where one is near. */
function* longPieces(text: string): Generator<string> {
  const size = Math.ceil(text.length / (maxDeltas - 1));
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + size, text.length);
    const space = text.slice(to, to + 16).search(/\s/);
    if (space > 0) to += space;
    // Never half of a character.
    if (/[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to += 1;
    yield text.slice(from, to);
  }
}

/** The deltas of a text, then the text. `field` is what the last event calls it. */
export function* textEvents(type: string, field: string, text: string, at: object): Generator<UnnumberedEvent> {
  yield* deltas(`${type}.delta`, text, at);
  yield { type: `${type}.done`, ...at, [field]: text };
}
