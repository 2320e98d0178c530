import { isTerminal, part } from '../../probe/turn.js';
import { expect } from '../deviation.js';
import type { Json, WireEvent } from '../../probe/turn.js';

/** Expects each item to be added once and ended once, before the response ends. @throws Deviation */
export function expectItems(events: readonly WireEvent[]): void {
  const open = new Map<number, unknown>();
  let added = 0;
  for (const event of events) {
    const { type, body } = event;
    const { output_index: index } = body;
    if (type === 'response.output_item.added') {
      expect(typeof index === 'number', 'output_item.added has no output_index');
      expect(index === added, `output_item.added has the output_index ${index}, ${added} is expected`);
      const { id, type: kind } = part(body, 'item');
      expect(typeof kind === 'string', 'output_item.added has no item with a type');
      open.set(index, id);
      added += 1;
    }
    if (type === 'response.output_item.done') {
      expect(
        typeof index === 'number' && open.has(index),
        `output_item.done ends the item ${String(index)}, which is not open`,
      );
      const { id } = part(body, 'item');
      expect(
        id === open.get(index),
        `the item ${index} was added as ${String(open.get(index))}, and ended as ${String(id)}`,
      );
      open.delete(index);
    }
    if (isTerminal(event))
      expect(open.size === 0, `the response ends, and the item ${[...open.keys()].join(', ')} is open`);
  }
  expect(added > 0, 'no output item was added');
}

/** Expects parts and deltas to name an open item and an open part. @throws Deviation */
export function expectParts(events: readonly WireEvent[]): void {
  const items = new Map<unknown, unknown>();
  const parts = new Set<string>();
  for (const { type, body } of events) {
    const { item_id: id, output_index: index } = body;
    if (type === 'response.output_item.added') items.set(index, part(body, 'item')['id']);
    if (type === 'response.output_item.done') items.delete(index);
    const inPart = /^response\.(?:content_part|output_text|refusal)\./.test(type);
    if (!inPart && type !== 'response.function_call_arguments.delta') continue;
    expect(typeof index === 'number' && typeof id === 'string', `${type} lacks item_id or output_index`);
    expect(items.has(index), `${type} names the output_index ${index}, at which no item is open`);
    expect(items.get(index) === id, `${type} names the item ${id}, open is ${String(items.get(index))}`);
    if (!inPart) continue;
    const { content_index: at } = body;
    expect(typeof at === 'number', `${type} has no content_index`);
    const place = `${index}/${at}`;
    if (type === 'response.content_part.added') {
      expect(!parts.has(place), `the part ${place} was added twice`);
      parts.add(place);
      continue;
    }
    expect(parts.has(place), `${type} names the part ${place}, which is not open`);
    if (type === 'response.content_part.done') parts.delete(place);
  }
  expect(parts.size === 0, `the part ${[...parts].join(', ')} was not ended`);
}

/** Expects the deltas of each part to add up to its text at the end. @throws Deviation */
export function expectText(events: readonly WireEvent[]): void {
  const texts = new Map<string, string>();
  const placeOf = ({ output_index: index, content_index: at }: Json): string => `${String(index)}/${String(at)}`;
  let finished = 0;
  for (const { type, body } of events) {
    if (type === 'response.output_text.delta')
      texts.set(placeOf(body), (texts.get(placeOf(body)) ?? '') + String(body['delta']));
    if (type === 'response.output_text.done') {
      finished += 1;
      expect(body['text'] === texts.get(placeOf(body)), 'the deltas do not add up to the text of output_text.done');
    }
    if (type !== 'response.output_item.done') continue;
    const { type: kind, content } = part(body, 'item');
    if (kind !== 'message' || !Array.isArray(content)) continue;
    for (const [at, piece] of (content as readonly Json[]).entries()) {
      if (piece['type'] !== 'output_text') continue;
      const place = placeOf({ output_index: body['output_index'], content_index: at });
      expect(piece['text'] === texts.get(place), 'the deltas do not add up to the text of the finished item');
    }
  }
  expect(finished > 0, 'response.output_text.done is missing');
}
