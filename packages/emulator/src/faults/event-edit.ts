import { isRecord, type Frame } from '../wire/wire.js';
import type { Fault } from './fault.js';

/** An event of a turn, with its number, from 1, and whether it is the last one. */
export interface NumberedEvent {
  readonly frame: Frame;
  readonly number: number;
  readonly last: boolean;
}

/** Returns the events that are sent in place of one event. */
export type EventEdit = (event: NumberedEvent) => readonly Frame[];

/** The response id that the faults `stray` and `wrong-id` put into events. No response has it. */
const foreignResponseId = 'resp_00000000000000000000000000000000000000000000000bad';

/** The edit that a fault makes to the events of one turn; undefined for a fault that leaves events unchanged. */
export function editOf(fault: Fault): EventEdit | undefined {
  switch (fault.fault) {
    case 'drop':
      return (event) => (isSelected(fault.event, event) ? [] : [event.frame]);
    case 'repeat':
      return (event) =>
        isSelected(fault.event, event) ? Array.from({ length: fault.times + 1 }, () => event.frame) : [event.frame];
    case 'empty-output':
      return ({ frame, last }) => [last ? changed(frame, (response) => ({ ...response, output: [] })) : frame];
    case 'wrong-id':
      return ({ frame, number }) => [
        number > fault.after ? changed(frame, (response) => ({ ...response, id: foreignResponseId })) : frame,
      ];
    case 'stray':
      return ({ frame, number }) => (number === fault.after + 1 ? [...strayEvents(), frame] : [frame]);
    case 'reorder': {
      let delayed: readonly Frame[] = [];
      return ({ frame, number, last }) => {
        if (number === fault.event && !last) {
          delayed = [frame];
          return [];
        }
        const after = delayed;
        delayed = [];
        return [frame, ...after];
      };
    }
    default:
      return undefined;
  }
}

function isSelected(meant: number | string, { frame, number, last }: NumberedEvent): boolean {
  return meant === number || meant === frame.type || (meant === 'terminal' && last);
}

/** An event with its response replaced by `change`. An event without a response is returned unchanged. */
function changed(frame: Frame, change: (response: Record<string, unknown>) => unknown): Frame {
  const event: unknown = JSON.parse(frame.text);
  if (!isRecord(event) || !isRecord(event['response'])) return frame;
  return { type: frame.type, text: JSON.stringify({ ...event, response: change(event['response']) }) };
}

function strayEvents(): readonly Frame[] {
  const at = { item_id: 'msg_of_another_response', output_index: 0, content_index: 0 };
  const response = { id: foreignResponseId, object: 'response', status: 'completed', output: [] };
  return [
    { type: 'response.output_text.delta', sequence_number: 7, ...at, delta: 'This belongs elsewhere.', logprobs: [] },
    { type: 'response.completed', sequence_number: 8, response },
  ].map((event) => ({ type: event.type, text: JSON.stringify(event) }));
}
