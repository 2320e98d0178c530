import { equal } from '../chain/json.js';
import { SnapshotError, snapshot } from '../chain/snapshot.js';
import type { Json } from '../chain/json.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Item } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';

/** The output items of a response, as copies that no consumer has had: what it edits is not what the server holds. */
export interface Held {
  output: readonly Json[];
  /** By index: the form in which an item was finished, where it differs from the terminal event's; it means the same item. */
  alternates: readonly (Json | undefined)[];
}

interface Kept {
  item: Item;
  copy: Json | undefined;
}

/** The output items of a response as they are finished, for the servers whose terminal event leaves them out (P58, F2). */
export class Output {
  /** From the first one on: most turns that wait for their answer have none. */
  #items: Map<number, Kept> | undefined;

  /** Of the items kept, as they came. */
  bytes = 0;

  read(event: ResponseEvent, bytes: number): void {
    if (event.type !== 'response.output_item.done') return;
    const { output_index: index, item } = event as { output_index?: unknown; item?: unknown };
    if (typeof item !== 'object' || item === null) return;
    this.bytes += bytes;
    const items = (this.#items ??= new Map());
    items.set(typeof index === 'number' ? index : items.size, { item: item as Item, copy: copyOf(item) });
  }

  /** The response with its output; a terminal event that has one wins. */
  complete(response: Response): Response {
    if (!this.#isLeftOut(response)) return response;
    return { ...response, output: this.#sorted.map(({ item }) => item) };
  }

  /** To be asked before anybody else has the response; undefined for what is nested too deep to be remembered (N19). */
  held(response: Response): Held | undefined {
    if (this.#isLeftOut(response)) {
      const copies = this.#sorted.map(({ copy }) => copy);
      return copies.every((copy) => copy !== undefined) ? { output: copies, alternates: [] } : undefined;
    }
    const output = copyOf(response.output) as Json[] | undefined;
    return output && { output, alternates: output.map((item, index) => this.#alternateOf(item, index)) };
  }

  /** Only where it says something else: texts are long, and would be kept twice. */
  #alternateOf(item: Json, index: number): Json | undefined {
    const copy = this.#items?.get(index)?.copy;
    return equal(copy, item) ? undefined : copy;
  }

  get #sorted(): Kept[] {
    return [...(this.#items ?? [])].sort(([a], [b]) => a - b).map(([, item]) => item);
  }

  #isLeftOut(response: Response): boolean {
    const given: unknown = response.output;
    return !Array.isArray(given) || (given.length === 0 && this.#items !== undefined);
  }
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
