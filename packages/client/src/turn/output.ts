import type { ResponseEvent } from '../protocol/events.js';
import type { Item } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';

/** The output items of a response as they are finished, for the servers whose terminal event leaves them out (P58, F2). */
export class Output {
  readonly #items = new Map<number, Item>();

  /** Of the items kept, as they came. */
  bytes = 0;

  read(event: ResponseEvent, bytes: number): void {
    if (event.type !== 'response.output_item.done') return;
    const { output_index: index, item } = event as { output_index?: unknown; item?: unknown };
    if (typeof item !== 'object' || item === null) return;
    this.bytes += bytes;
    this.#items.set(typeof index === 'number' ? index : this.#items.size, item as Item);
  }

  /** The response with its output; a terminal event that has one wins. */
  complete(response: Response): Response {
    const given: unknown = response.output;
    if (Array.isArray(given) && (given.length > 0 || this.#items.size === 0)) return response;
    const output = [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
    return { ...response, output };
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
