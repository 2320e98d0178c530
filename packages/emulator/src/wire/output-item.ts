import type { Ids } from './ids.js';
import type { Item } from './wire.js';

/** An event without its sequence number. */
export type EventFields = { readonly type: string; readonly [field: string]: unknown };

/** A delta without its sequence number. The fields that all deltas of a text have in common are already JSON, which is written once. */
export interface Delta {
  readonly type: string;
  readonly delta: string;
  /** The JSON of the fields before `delta`, each with its comma. */
  readonly before: string;
  /** The JSON of the fields after `delta`, each with its comma. */
  readonly after: string;
}

export type UnnumberedEvent = EventFields | Delta;

export function isDelta(step: UnnumberedEvent): step is Delta {
  return typeof step['before'] === 'string';
}

/** The deltas of a text, one for each of its pieces. `after` returns the fields that follow `delta`. */
export function deltas(type: string, text: string, at: object, after: (piece: string) => object = none): Delta[] {
  const before = fieldsOf(at);
  const all: Delta[] = [];
  let last: object | undefined;
  let fields = '';
  for (const delta of pieces(text)) {
    const more = after(delta);
    if (more !== last) fields = fieldsOf(more);
    last = more;
    all.push({ type, delta, before, after: fields });
  }
  return all;
}

/** The fields of an object as JSON, each with a comma before it. */
function fieldsOf(object: object): string {
  const text = JSON.stringify(object).slice(1, -1);
  return text === '' ? '' : `,${text}`;
}

const noFields = {};
const none = () => noFields;

/** The fields by which an event names its item. */
export interface ItemPosition {
  readonly item_id: string;
  readonly output_index: number;
}

/** An output item in its states: `added` in `response.output_item.added`, `done` in `response.output_item.done`. */
export interface OutputItem {
  readonly added: Item;
  readonly done: Item;
  /** The item in the terminal response, if it differs from `done`. */
  readonly final?: Item;
  /** The events between `added` and `done`. */
  readonly progress: (at: ItemPosition) => Iterable<UnnumberedEvent>;
}

/** What the output items of a turn depend on, beside the reply. */
export interface ItemOptions {
  readonly ids: Ids;
  /** The request's `include`: the parts of items that are sent only if the request asks for them. */
  readonly include: ReadonlySet<string>;
  /** The number of alternatives for each token, if log probabilities are sent. */
  readonly topLogprobs: number;
  /** Whether deltas are padded to one length (P28). */
  readonly obfuscated: boolean;
  /** The type of the events with the text of the reasoning, without `.delta` and `.done`. */
  readonly reasoningEvents: string;
  /** Whether a reasoning item always has a `status`. */
  readonly reasoningStatus: boolean;
  /** The number of tokens that the output may have; Infinity without a limit. */
  readonly maxOutputTokens: number;
  /** The number of model turns before this one, which a compaction item remembers. */
  readonly turnsBefore: number;
}

/** The status of an item that has ended. Only the item that the model was writing when it stopped is incomplete. */
export type ItemStatus = 'completed' | 'incomplete';

/** The maximum number of deltas of one text. A model sends fewer, so more of them would only burden the client. */
const maxDeltas = 8192;

/** Cuts a text into pieces like words, each with the space before it and none longer than 16 characters. */
export function pieces(text: string): Iterable<string> {
  const words: readonly string[] = text.length > longText ? [] : (text.match(/\s*\S{1,16}|\s+/gu) ?? []);
  return text.length > longText || words.length > maxDeltas ? longPieces(text) : words;
}

/** The length above which a text is not cut into words, because it has more than `maxDeltas` of them. */
const longText = 16 * maxDeltas;

/** Cuts a long text into at most `maxDeltas` pieces, each of which ends at a space if one is near. */
function* longPieces(text: string): Generator<string> {
  const size = Math.ceil(text.length / (maxDeltas - 1));
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + size, text.length);
    const space = text.slice(to, to + 16).search(/\s/);
    if (space > 0) to += space;
    // A piece does not end between the two halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to += 1;
    yield text.slice(from, to);
  }
}

/** The deltas of a text, then the event with the whole text in the field `field`. */
export function textEvents(type: string, field: string, text: string, at: object): readonly UnnumberedEvent[] {
  return [...deltas(`${type}.delta`, text, at), { type: `${type}.done`, ...at, [field]: text }];
}
