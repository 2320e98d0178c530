import { response } from '../server/events.js';
import type { Json } from '../server/events.js';
import type { Run } from './service.js';

export interface Shape {
  /** Deltas that a text is cut into. @default 3 */
  pieces?: number;
  /** The terminal event has no output, as some servers send it (P58). @default false */
  emptyOutput?: boolean;
}

/** The events of a response, as a good server sends them (P54). */
export function eventsOf({ id, output, usage, stored }: Run, { pieces = 3, emptyOutput = false }: Shape = {}): Json[] {
  const store = { store: stored };
  const events: Json[] = [
    { type: 'response.created', response: response(id, 'in_progress', store) },
    { type: 'response.in_progress', response: response(id, 'in_progress', store) },
    ...output.flatMap((item, index) => itemEvents(item, index, pieces)),
    {
      type: 'response.completed',
      response: response(id, 'completed', { ...store, output: emptyOutput ? [] : output, usage }),
    },
  ];
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

function itemEvents(item: Json, index: number, pieces: number): Json[] {
  const common = { item_id: item['id'], output_index: index };
  const done = { type: 'response.output_item.done', output_index: index, item };
  if (item['type'] !== 'message')
    return [
      { type: 'response.output_item.added', output_index: index, item: { ...item, arguments: '' } },
      { type: 'response.function_call_arguments.delta', ...common, delta: item['arguments'] },
      { type: 'response.function_call_arguments.done', ...common, arguments: item['arguments'] },
      done,
    ];
  const [{ text }] = item['content'] as [{ text: string }];
  const size = Math.max(1, Math.ceil(text.length / pieces));
  const cuts = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
  const part = { ...common, content_index: 0 };
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...item, content: [] } },
    ...cuts.map((delta) => ({ type: 'response.output_text.delta', ...part, delta })),
    { type: 'response.output_text.done', ...part, text },
    done,
  ];
}
