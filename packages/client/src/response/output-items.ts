import { equal } from '../json/json.js';
import { SnapshotError, snapshot } from '../json/snapshot.js';
import { isEmpty, mergeFields } from './partial-item.js';
import { PartialItems } from './partial-items.js';
import { completeItem } from './complete-item.js';
import type { Json, JsonObject } from '../json/json.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { Item } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';

/** The output items of a response, as copies that no consumer has had: what it edits is not what the server holds. */
export interface StoredOutput {
  output: readonly Json[];
  /** By index: the form in which an item was finished, where it differs from the terminal event's; it means the same item. */
  alternates: readonly (Json | undefined)[];
  /** What the server holds is these items, for all that is known: of one that had to be guessed at, it may hold another form. */
  certain: boolean;
}

interface FinishedItem {
  item: Item;
  copy: Json | undefined;
  certain: boolean;
}

/**
 * The output items of a response as they are finished, for the servers whose terminal event leaves them out (P58, F2); and, as the last resort, what
 * their pieces come to, for those that finish none.
 */
export class OutputItems {
  /** From the first one on: most turns that wait for their answer have none. */
  #items: Map<number, FinishedItem> | undefined;
  #partials: PartialItems | undefined;
  /** Items that have begun and are not finished, where their pieces are not kept. */
  #untracked = 0;
  readonly #rebuilds: boolean;
  #bytes = 0;
  /** Why the items that are there cannot be used, as a sentence; undefined where they can. */
  problem: string | undefined;

  /** @param keepsPieces `false` where nobody asks for the output: its reader has the events. */
  constructor(keepsPieces = true) {
    this.#rebuilds = keepsPieces;
  }

  /** Of the items and pieces kept, as they came. */
  get bytes(): number {
    return this.#bytes + (this.#partials?.bytes ?? 0);
  }

  /** A piece of an item that is not finished. */
  add(frame: Frame): void {
    if (!this.#rebuilds) {
      // Pieces of an item that nothing has announced are pieces of one all the same.
      if (this.#untracked === 0 || frame.type === 'response.output_item.added') this.#untracked += 1;
      return;
    }
    (this.#partials ??= new PartialItems()).add(frame);
  }

  read(event: ResponseEvent, bytes: number): void {
    if (event.type !== 'response.output_item.done') return;
    const { output_index: index, item } = event as { output_index?: unknown; item?: unknown };
    if (typeof item !== 'object' || item === null) return;
    this.#bytes += bytes;
    if (this.#untracked > 0) this.#untracked -= 1;
    const items = (this.#items ??= new Map());
    const partial = this.#partials?.finish(index, isHollow(item as Item));
    items.set(
      typeof index === 'number' ? index : items.size,
      finishedItem(withPartial(item as Item, partial?.item), true),
    );
  }

  /** The response with its output; a terminal event that has one wins, but for items in which nothing is. */
  complete(response: Response): Response {
    const given: unknown = response.output;
    if (this.#isOmitted(response)) {
      for (const [key, item] of this.#partials?.rest() ?? []) this.#finishPartial(key, item, response);
      return { ...response, output: this.#sorted.map(({ item }) => item) };
    }
    const items = given as (Item | null)[];
    if (!this.#isIncomplete(items)) return response;
    const output = items.map(
      (item, index) => item && withPartial(item, this.#items?.get(index)?.item as JsonObject | undefined),
    );
    for (const [key, partial] of this.#partials?.rest() ?? []) {
      const at = output.findIndex(
        (item, index) => item?.type === partial['type'] && (typeof key === 'string' || index === key),
      );
      const item = output[at];
      if (item !== undefined && item !== null) output[at] = withPartial(item, partial);
    }
    return { ...response, output: output as Item[] };
  }

  /**
   * To be asked before anybody else has the response; undefined for what is nested too deep to be remembered (N19).
   *
   * @param response as `complete` has given it; `given` is how it came.
   */
  stored(response: Response, given: Response): StoredOutput | undefined {
    if (this.#isOmitted(given)) {
      // What the server holds beside the finished items, nobody here knows.
      if (this.#untracked > 0) return undefined;
      const kept = this.#sorted;
      const copies = kept.map(({ copy }) => copy);
      const certain = kept.every((one) => one.certain);
      return copies.every((copy) => copy !== undefined) ? { output: copies, alternates: [], certain } : undefined;
    }
    const output = copyOf(response.output) as Json[] | undefined;
    return output && { output, alternates: output.map((item, index) => this.#alternateOf(item, index)), certain: true };
  }

  #finishPartial(key: number | string, partial: JsonObject, response: Response): void {
    const items = (this.#items ??= new Map());
    const { item, certain, problem } = completeItem(partial, response);
    this.problem ??= problem;
    const at = typeof key === 'number' ? key : Math.max(-1, ...items.keys()) + 1;
    items.set(at, finishedItem(item, certain));
  }

  /** Whether finished items, or pieces, have brought what items of the terminal event lack. */
  #isIncomplete(items: readonly (Item | null)[]): boolean {
    const ofPieces = this.#partials?.empty === false ? this.#partials.types() : new Set<unknown>();
    return items.some((item, index) => {
      if (item === null || !isHollow(item)) return false;
      const kept = this.#items?.get(index);
      return ofPieces.has(item.type) || (kept?.item.type === item.type && !isHollow(kept.item));
    });
  }

  /** Only where it says something else: texts are long, and would be kept twice. */
  #alternateOf(item: Json, index: number): Json | undefined {
    const copy = this.#items?.get(index)?.copy;
    return equal(copy, item) ? undefined : copy;
  }

  get #sorted(): FinishedItem[] {
    return [...(this.#items ?? [])].sort(([a], [b]) => a - b).map(([, kept]) => kept);
  }

  #isOmitted(response: Response): boolean {
    const given: unknown = response.output;
    if (!Array.isArray(given)) return true;
    return given.length === 0 && (this.#items !== undefined || this.#partials?.empty === false);
  }
}

function finishedItem(item: Item, certain: boolean): FinishedItem {
  return { item, copy: copyOf(item), certain };
}

/** The field of an item that the model has written. */
const written: ReadonlyMap<string, string> = new Map([
  ['code_interpreter_call', 'code'],
  ['custom_tool_call', 'input'],
  ['function_call', 'arguments'],
  ['mcp_call', 'arguments'],
  ['message', 'content'],
  ['reasoning', 'content'],
]);

/** An item without what makes it one: a message without content, a call without arguments. */
function isHollow(item: Item): boolean {
  const field = written.get(item.type);
  if (field === undefined) return false;
  const value: unknown = item[field];
  if (item.type !== 'message' || !Array.isArray(value)) return isEmpty(value);
  return value.every(
    (part: { text?: unknown; refusal?: unknown } | null) => isEmpty(part?.text) && isEmpty(part?.refusal),
  );
}

/** The item, with what only its pieces have brought. */
function withPartial(item: Item, partial: JsonObject | undefined): Item {
  if (partial === undefined || !isHollow(item)) return item;
  const whole: JsonObject = structuredClone(partial);
  const { content, ...rest } = item as unknown as JsonObject;
  mergeFields(whole, isHollow({ ...rest, content } as unknown as Item) && item.type === 'message' ? rest : item);
  return whole as unknown as Item;
}

function copyOf(value: unknown): Json | undefined {
  try {
    return snapshot(value);
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    return undefined;
  }
}

/** All text that the model has written in a response, one message after the other. */
export function textOf(response: Response): string {
  const items: unknown = response.output;
  if (!Array.isArray(items)) return '';
  return (items as (Item | null)[])
    .flatMap((item) => (item?.type === 'message' && Array.isArray(item.content) ? (item.content as unknown[]) : []))
    .map((part) => part as { type?: unknown; text?: unknown } | null)
    .map((part) => (part?.type === 'output_text' && typeof part.text === 'string' ? part.text : ''))
    .join('');
}
