import type { Transport } from '../journal/journal-turn.js';
import { isRecord, responseIn, type Frame, type ResponseObject } from '../wire/wire.js';
import { editOf, type EventEdit, type NumberedEvent } from './event-edit.js';
import { describeFault, type Fault } from './fault.js';

/** The faults that edit an answer which is one JSON body. Others edit events, which such an answer has none of. */
const editsOfBodies: ReadonlySet<string> = new Set(['empty-output', 'wrong-id']);

/** The edits that the faults of one turn make to its events, one after another. */
export class EventEdits {
  readonly #edits: readonly EventEdit[];

  /** `onFault` is called once for each fault, in its text form, when the fault changes an event. */
  constructor(faults: readonly Fault[], transport: Transport, onFault: (fault: string) => void) {
    const striking = faults.filter(({ fault }) => transport !== 'json' || editsOfBodies.has(fault));
    this.#edits = striking.flatMap((fault) => {
      const edit = editOf(fault);
      return edit === undefined ? [] : [reportingFirstChange(edit, () => onFault(describeFault(fault)))];
    });
  }

  /** The events that are sent in place of an event. */
  apply({ frame, number, last }: NumberedEvent): readonly Frame[] {
    let frames: readonly Frame[] = [frame];
    for (const edit of this.#edits) frames = frames.flatMap((each) => edit({ frame: each, number, last }));
    return frames;
  }

  /** The response of a JSON answer after the edits, which see it as the terminal event of the turn, with this number. */
  response(response: ResponseObject, number: number): ResponseObject {
    const frame = { type: `response.${response.status}`, text: JSON.stringify({ response }) };
    const [first] = this.apply({ frame, number, last: true });
    const changed = first === undefined ? undefined : responseIn(first);
    return isRecord(changed) ? { ...response, ...changed } : response;
  }
}

/** The same edit, which calls `notice` the first time that it changes an event. */
function reportingFirstChange(edit: EventEdit, notice: () => void): EventEdit {
  let isReported = false;
  return (event) => {
    const frames = edit(event);
    if (!isReported && (frames.length !== 1 || frames[0] !== event.frame)) {
      isReported = true;
      notice();
    }
    return frames;
  };
}
