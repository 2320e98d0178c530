import { endResponse } from '../response.js';
import { sequenceOf } from './numbering.js';
import { isClientCall } from '../../wire/client-calls.js';
import type { Frames, CountUsage } from '../turn-sink.js';
import { isItem, isRecord, type Frame, type Item, type ResponseObject } from '../../wire/wire.js';

/** Why a response ends before all events of its answer were sent; undefined while nothing ends it. */
export type EarlyEnd = 'steered' | 'interrupted' | undefined;

/**
 * Passes the events of an answer on, and ends them early with `response.incomplete` when `endsBecause` returns a reason.
 *
 * - `steered`: the response ends after its current item (P48). An answer that is at its last item, or that has called a tool of the client,
 *   goes on to its own end.
 * - `interrupted`: the response ends at once, without the items that are not finished (P127).
 */
export function* untilEnded(
  frames: Frames,
  endsBecause: () => EarlyEnd,
  countUsage: CountUsage,
): Generator<Frame, ResponseObject | undefined> {
  let created = '';
  const finished: string[] = [];
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    yield frame;
    if (frame.type === 'response.created') created = frame.text;
    if (frame.type === 'response.output_item.done') finished.push(frame.text);
    step = frames.next();
    if (step.done === true) break;
    const reason = endsBecause();
    if (reason === undefined) continue;
    const output = finished.map(itemOf).filter((item) => item !== undefined);
    if (reason === 'steered') {
      // A steered response ends only between two items, while no item is open.
      const isBetweenItems =
        frame.type === 'response.output_item.done' && step.value.type === 'response.output_item.added';
      if (!isBetweenItems || output.some(isClientCall)) continue;
    }
    const begun = responseOf(created);
    if (begun === undefined) continue;
    const ended = endResponse(begun, output, {
      status: 'incomplete',
      usage: countUsage(output),
      incompleteReason: reason,
    });
    const type = 'response.incomplete';
    yield { type, text: JSON.stringify({ type, sequence_number: sequenceOf(frame.text) + 1, response: ended }) };
    return ended;
  }
  return step.value;
}

/** The response in an event, with an empty output; undefined if the event has none. */
export function responseOf(created: string): ResponseObject | undefined {
  const event = parseEvent(created);
  const response = isRecord(event) ? event['response'] : undefined;
  if (!isRecord(response) || typeof response['id'] !== 'string') return undefined;
  return { ...response, id: response['id'], status: String(response['status']), output: [] };
}

/** The value of JSON; undefined for an event that a fault has broken. */
function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The item in an event; undefined if the event has none. */
export function itemOf(done: string): Item | undefined {
  const event = parseEvent(done);
  const item = isRecord(event) ? event['item'] : undefined;
  return isItem(item) ? item : undefined;
}
