import type { Item, MessageItem, Response, ResponseEvent } from '@turnwire/client';
import type { AgentEvent } from '../events.js';

/**
 * Extracts text and reasoning from a turn's events. In some providers the text is in deltas, in others only in the `done` events, or only in the terminal
 * response. Each piece is given once, wherever it came first.
 */
export class TextExtractor {
  /** The length of the text that was given, by the place of the part. */
  readonly #told = new Map<string, number>();
  readonly #toldItems = new Set<string | number>();
  /** The first half of a surrogate pair whose second half comes in the next piece, by the place of the part. */
  readonly #halves = new Map<string, string>();

  *event(event: ResponseEvent): Generator<AgentEvent> {
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        yield* this.#piece('agent_choice', event, event.content_index, event.delta);
        return;
      case 'response.output_text.done':
        yield* this.#rest('agent_choice', event, event.content_index, event.text);
        return;
      case 'response.refusal.done':
        yield* this.#rest('agent_choice', event, event.content_index, event.refusal);
        return;
      case 'response.reasoning_text.delta':
        yield* this.#piece('agent_choice_reasoning', event, event.content_index, event.delta);
        return;
      case 'response.reasoning_text.done':
        yield* this.#rest('agent_choice_reasoning', event, event.content_index, event.text);
        return;
      case 'response.reasoning_summary_part.added':
        if (event.summary_index > 0) yield { type: 'agent_choice_reasoning', content: '\n\n' };
        return;
      case 'response.reasoning_summary_text.delta':
        yield* this.#piece('agent_choice_reasoning', event, `summary ${event.summary_index}`, event.delta);
        return;
      case 'response.reasoning_summary_text.done':
        yield* this.#rest('agent_choice_reasoning', event, `summary ${event.summary_index}`, event.text);
        return;
      case 'response.output_item.done':
        yield* this.#item(event.item, event.output_index);
        return;
      default:
    }
  }

  /** Gives the text that no event had: some servers send it in the terminal response alone. */
  *end(response: Response): Generator<AgentEvent> {
    for (const [index, item] of response.output.entries()) yield* this.#item(item, index);
  }

  *#item(item: Item, index: number): Generator<AgentEvent> {
    if (
      item.type !== 'message' ||
      this.#toldItems.has(index) ||
      (item.id !== undefined && this.#toldItems.has(item.id))
    )
      return;
    for (const [part, content] of partsOf(item))
      yield* this.#rest('agent_choice', { output_index: index, item_id: item.id }, part, content);
  }

  *#piece(type: Told, place: Place, part: number | string, piece: string): Generator<AgentEvent> {
    const key = `${place.output_index} ${part}`;
    const text = (this.#halves.get(key) ?? '') + piece;
    const content = /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
    this.#halves.set(key, text.slice(content.length));
    if (content === '') return;
    this.#told.set(key, (this.#told.get(key) ?? 0) + content.length);
    this.#toldItems.add(place.output_index);
    if (place.item_id !== undefined) this.#toldItems.add(place.item_id);
    yield { type, content: content.toWellFormed() };
  }

  *#rest(type: Told, place: Place, part: number | string, whole: string): Generator<AgentEvent> {
    const key = `${place.output_index} ${part}`;
    this.#halves.delete(key);
    yield* this.#piece(type, place, part, whole.slice(this.#told.get(key) ?? 0));
  }
}

type Told = 'agent_choice' | 'agent_choice_reasoning';

interface Place {
  output_index: number;
  item_id?: string | undefined;
}

/** The text of a response, over all its messages, refusals included. */
export function textOf(response: Response): string {
  return response.output
    .flatMap((item) => (item.type === 'message' ? partsOf(item).map(([, text]) => text) : []))
    .join('');
}

function partsOf(item: MessageItem): [number, string][] {
  // A message of the wire may lack its content in spite of the types, which is no reason to fail.
  const content = Array.isArray(item.content) ? item.content : [];
  return content.flatMap(({ type, text, refusal }, index): [number, string][] => {
    const found = type === 'output_text' ? text : type === 'refusal' ? refusal : undefined;
    return typeof found === 'string' ? [[index, found]] : [];
  });
}
