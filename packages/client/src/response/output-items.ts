import { equal } from '../json/json.js';
import { SnapshotError, snapshot } from '../json/snapshot.js';
import { isEmpty, mergeFields } from './partial-item.js';
import { PartialItems, indexOf } from './partial-items.js';
import { completeItem, withWholeParts } from './complete-item.js';
import { withMissingItems } from './missing-items.js';
import type { Json, JsonObject } from '../json/json.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { Item } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';

/** The output of a response as the server holds it: copies, because the consumer may edit its own. */
export interface StoredOutput {
  output: readonly Json[];
  /** By index, the finished item if it differs from the one of the terminal event. Both are the same item. */
  alternates: readonly (Json | undefined)[];
  /** False if a part of an item had to be guessed: the server may hold another form. */
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
  /** Finished items, by index. */
  #items: Map<number, FinishedItem> | undefined;
  #partials: PartialItems | undefined;
  /** The number of unfinished items whose deltas are not kept. */
  #untracked = 0;
  readonly #rebuilds: boolean;
  #bytes = 0;
  /** Items were put into the output of the terminal event. */
  #isMerged = false;
  /** Why the items cannot be used, as a sentence; undefined if they can. */
  problem: string | undefined;

  /** @param rebuilds false if nothing asks for the output: the consumer has the events. */
  constructor(rebuilds = true) {
    this.#rebuilds = rebuilds;
  }

  /** The bytes of the items and deltas that are kept, as they came. */
  get bytes(): number {
    return this.#bytes + (this.#partials?.bytes ?? 0);
  }

  /** Adds a delta of an unfinished item. */
  add(frame: Frame): void {
    if (!this.#rebuilds) {
      // Deltas without `response.output_item.added` are those of one item.
      if (this.#untracked === 0 || frame.type === 'response.output_item.added') this.#untracked += 1;
      return;
    }
    (this.#partials ??= new PartialItems()).add(frame);
  }

  read(event: ResponseEvent, bytes: number): void {
    if (event.type !== 'response.output_item.done') return;
    const { item } = event as { item?: Item | null };
    if (typeof item !== 'object' || item === null) return;
    this.#bytes += bytes;
    if (this.#untracked > 0) this.#untracked -= 1;
    const items = (this.#items ??= new Map());
    const index = indexOf(event);
    const at = index === undefined || this.#isTaken(index, item) ? nextIndex(items) : index;
    const partial = this.#partials?.finish(index, item, isHollow(item));
    items.set(at, finishedItem(withPartial(item, partial?.item), true));
  }

  /** Whether an index belongs to another item: some servers count every item as the first one, and some finish an item twice. */
  #isTaken(index: number, item: Item): boolean {
    const before = this.#items?.get(index)?.item;
    if (before === undefined) return false;
    return before.type !== item.type || before['call_id'] !== item['call_id'] || this.#partials?.begun(index) === true;
  }

  /** The response with its output. The output of the terminal event counts, except for items that are hollow there, or left out. */
  complete(response: Response): Response {
    const given: unknown = response.output;
    if (this.#isOmitted(response)) {
      const finished = new Set(this.#items?.keys());
      for (const [key, item] of this.#partials?.rest() ?? [])
        // Deltas that come late add nothing to an item that its server has finished.
        if (typeof key === 'string' || !finished.has(key)) this.#finishPartial(key, item, response);
      return { ...response, output: this.#sorted.map(({ item }) => item) };
    }
    const said = given as (Item | null)[];
    const isWhole = this.#partials?.empty !== false && (this.#items?.size ?? 0) <= said.length;
    const items = isWhole ? said : withMissingItems(said, this.#known(response));
    this.#isMerged = items !== said;
    if (!this.#isIncomplete(items)) return this.#isMerged ? { ...response, output: items as Item[] } : response;
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
   * The output as the server holds it, asked for before the consumer has the response; undefined if it is nested too deep to be remembered (N19).
   *
   * @param response the result of `complete`.
   * @param given the response of the terminal event.
   */
  stored(response: Response, given: Response): StoredOutput | undefined {
    const isOmitted = this.#isOmitted(given);
    const begun = (this.#items?.size ?? 0) + this.#untracked;
    // The server of an incomplete response has discarded the items that were begun (P127).
    const isPartlyTold = given.status !== 'incomplete' && begun > response.output.length;
    // The server may hold more than it has said: the rest would be sent again, and be there twice.
    if (this.#untracked > 0 && (isOmitted || isPartlyTold)) return undefined;
    if (isOmitted) {
      const kept = this.#sorted;
      const copies = kept.map(({ copy }) => copy);
      const certain = kept.every((one) => one.certain);
      return copies.every((copy) => copy !== undefined) ? { output: copies, alternates: [], certain } : undefined;
    }
    const output: Json[] = [];
    const alternates: (Json | undefined)[] = [];
    for (let index = 0; index < response.output.length; index += 1) {
      const item = response.output[index];
      const finished = this.#items?.get(index)?.copy;
      const isSame = finished !== undefined && equal(finished, item as unknown as Json);
      const copy = isSame ? finished : copyOf(item);
      if (copy === undefined) return undefined;
      output.push(copy);
      alternates.push(isSame ? undefined : finished);
    }
    return { output, alternates, certain: !this.#isMerged };
  }

  /** The items of the response, in order: finished ones, and pieces of a type of which none is finished. */
  #known(response: Response): Item[] {
    const finished = this.#sorted.map(({ item }) => item);
    if (this.#partials?.empty !== false) return finished;
    const types = new Set([...finished, ...(response.output as (Item | null)[])].map((item) => item?.type));
    const known = new Map<number, Item>([...(this.#items ?? [])].map(([index, { item }]) => [index, item]));
    for (const [key, partial] of this.#partials.rest()) {
      const { item, problem } = completeItem(partial, response);
      if (problem !== undefined || types.has(item.type)) continue;
      known.set(typeof key === 'string' || known.has(key) ? nextIndex(known) : key, item);
    }
    return [...known].sort(([a], [b]) => a - b).map(([, item]) => item);
  }

  #finishPartial(key: number | string, partial: JsonObject, response: Response): void {
    const items = (this.#items ??= new Map());
    const { item, certain, problem } = completeItem(partial, response);
    this.problem ??= problem;
    items.set(typeof key === 'string' || items.has(key) ? nextIndex(items) : key, finishedItem(item, certain));
  }

  /** Whether items of the terminal event are hollow, and finished items or deltas have their content. */
  #isIncomplete(items: readonly (Item | null)[]): boolean {
    return items.some((item, index) => {
      if (item === null || !isHollow(item)) return false;
      const kept = this.#items?.get(index);
      return (kept?.item.type === item.type && !isHollow(kept.item)) || this.#partials?.has(item.type) === true;
    });
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

function nextIndex(items: ReadonlyMap<number, unknown>): number {
  return Math.max(-1, ...items.keys()) + 1;
}

function finishedItem(item: Item, certain: boolean): FinishedItem {
  return { item, copy: copyOf(item), certain };
}

/** The field of an item that holds what the model has written, by type. */
const written: ReadonlyMap<string, string> = new Map([
  ['code_interpreter_call', 'code'],
  ['custom_tool_call', 'input'],
  ['function_call', 'arguments'],
  ['mcp_call', 'arguments'],
  ['message', 'content'],
  ['reasoning', 'content'],
]);

/** An item without its content: a message without text, a call without arguments. */
function isHollow(item: Item): boolean {
  const field = written.get(item.type);
  if (field === undefined) return false;
  const value: unknown = item[field];
  if (item.type !== 'message' || !Array.isArray(value)) return isEmpty(value);
  return value.every(
    (part: { text?: unknown; refusal?: unknown } | null) => isEmpty(part?.text) && isEmpty(part?.refusal),
  );
}

/** The item, with the content of its deltas if it is hollow. */
function withPartial(item: Item, partial: JsonObject | undefined): Item {
  if (partial === undefined || !isHollow(item)) return item;
  const whole = withWholeParts(structuredClone(partial));
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

/** The text of all messages of a response, in order. */
export function textOf(response: Response): string {
  const items: unknown = response.output;
  if (!Array.isArray(items)) return '';
  return (items as (Item | null)[])
    .flatMap((item) => (item?.type === 'message' && Array.isArray(item.content) ? (item.content as unknown[]) : []))
    .map((part) => part as { type?: unknown; text?: unknown } | null)
    .map((part) => (part?.type === 'output_text' && typeof part.text === 'string' ? part.text : ''))
    .join('');
}
