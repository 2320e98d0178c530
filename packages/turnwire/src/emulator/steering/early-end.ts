import { endResponse } from '../response.js';
import { sequenceOf } from './numbering.js';
import { isClientCall } from '../client-calls.js';
import type { Frames, Recount } from '../turn.js';
import { isItem, isRecord, type Frame, type Item, type ResponseObject } from '../wire.js';

/**
 * The events of an answer, ended early with `response.incomplete`, reason `steered`, once `isSteered` says so: after the
 * item it is at (P48). An answer whose last item that is, or that has called a tool of the client, goes on to its own end.
 */
export function* untilSteered(
  frames: Frames,
  isSteered: () => boolean,
  recount: Recount,
): Generator<Frame, ResponseObject | undefined> {
  let created = '';
  const finished: string[] = [];
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    yield frame;
    if (frame.type === 'response.created') created = frame.text;
    step = frames.next();
    if (frame.type !== 'response.output_item.done') continue;
    finished.push(frame.text);
    // Only between two items, and not where several are open at once.
    if (step.done === true || step.value.type !== 'response.output_item.added' || !isSteered()) continue;
    const output = finished.map(itemOf).filter((item) => item !== undefined);
    const begun = responseOf(created);
    if (begun === undefined || output.some(isClientCall)) continue;
    const ended = endResponse(begun, output, {
      status: 'incomplete',
      usage: recount(output),
      incompleteReason: 'steered',
    });
    const type = 'response.incomplete';
    yield { type, text: JSON.stringify({ type, sequence_number: sequenceOf(frame.text) + 1, response: ended }) };
    return ended;
  }
  return step.value;
}

/** The response of an event, as one that begins; undefined if it has none. */
export function responseOf(created: string): ResponseObject | undefined {
  const event = parsed(created);
  const response = isRecord(event) ? event['response'] : undefined;
  if (!isRecord(response) || typeof response['id'] !== 'string') return undefined;
  return { ...response, id: response['id'], status: String(response['status']), output: [] };
}

/** An event that a fault has broken is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The item of an event; undefined if it has none. */
export function itemOf(done: string): Item | undefined {
  const event = parsed(done);
  const item = isRecord(event) ? event['item'] : undefined;
  return isItem(item) ? item : undefined;
}
