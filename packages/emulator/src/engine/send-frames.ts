import { TimeSlice } from '../base/incremental.js';
import type { Frame, ResponseObject } from '../wire/wire.js';
import type { EventPacer } from './event-pacer.js';
import type { Frames, TurnSink } from './turn-sink.js';

/** Events of this length together are made within some microseconds, so the clock is read once for all of them. */
const lengthBetweenClockReads = 16_384;

/** Sends the events at their pace, and no faster than the client takes them. `beforeLast` is called right before the last one leaves. */
export async function sendFrames(
  frames: Frames,
  sink: TurnSink,
  pacer: EventPacer,
  beforeLast: (response: ResponseObject | undefined, last: Frame) => void,
): Promise<void> {
  const slice = new TimeSlice();
  let sinceClockRead = 0;
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    step = frames.next();
    const wait = pacer.waitBefore(frame.type);
    if (wait !== undefined) await wait;
    sinceClockRead += frame.text.length;
    if (sinceClockRead > lengthBetweenClockReads) {
      sinceClockRead = 0;
      const yielded = slice.yieldIfSpent();
      if (yielded !== undefined) await yielded;
    }
    if (sink.signal.aborted) throw sink.signal.reason;
    if (step.done === true) beforeLast(step.value, frame);
    const drained = sink.send(frame);
    if (drained !== undefined) await drained;
  }
  sink.finish(step.value);
}

/** The same events, except that the last one has `output: []`; the response that they end in keeps its output. */
export function* withoutFinalOutput(frames: Frames): Frames & Generator<Frame, ResponseObject | undefined> {
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    step = frames.next();
    if (step.done !== true || step.value === undefined) yield frame;
    else
      yield { ...frame, text: JSON.stringify({ ...JSON.parse(frame.text), response: { ...step.value, output: [] } }) };
  }
  return step.value;
}
