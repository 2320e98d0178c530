import type { Json } from './events.js';

/** The items of an `input`, which may be one text. */
export function itemsOf(input: unknown): Json[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? (input as Json[]) : [];
}

/** The output of an exchange: its terminal event's, or where that has none, its finished items (P58). */
export function outputOf({ events, terminal }: { events: readonly Json[]; terminal: Json | undefined }): Json[] {
  const { output } = (terminal?.['response'] ?? {}) as { output?: unknown };
  if (Array.isArray(output) && output.length > 0) return output as Json[];
  return events
    .filter(({ type }) => type === 'response.output_item.done')
    .sort((a, b) => Number(a['output_index'] ?? 0) - Number(b['output_index'] ?? 0))
    .map(({ item }) => item as Json);
}
