import { isRecord, type Frame } from '../wire/wire.js';
import type { Fault } from './fault.js';

/** An event of a turn: its number, from 1, and whether the turn ends with it. */
export interface NumberedEvent {
  readonly frame: Frame;
  readonly number: number;
  readonly last: boolean;
}

/** What goes out in the place of an event. */
export type EventEdit = (event: NumberedEvent) => readonly Frame[];

/** The response that stray and wrong ids name; it exists nowhere. */
const foreignResponseId = 'resp_00000000000000000000000000000000000000000000000bad';

/** What a fault makes of the events of one turn; undefined if it leaves them as they are. */
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

/** An event with another response inside. Events without one pass as they are. */
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
