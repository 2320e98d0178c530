import { Frame } from '../../dist/protocol/frame.js';
import type { EventReader } from '../../dist/turn/buffer/event-buffer.js';

/** Frames as a turn hands them over: those of one list are there at once; between two lists the reader waits. An error is how it ends. */
export function readerOf(
  ...batches: (readonly string[] | Error)[]
): EventReader<Frame> & { asked: number; left: boolean } {
  let here: Frame[] = [];
  const reader = {
    asked: 0,
    left: false,
    async next(): Promise<IteratorResult<Frame, undefined>> {
      reader.asked += 1;
      while (here.length === 0) {
        const batch = batches.shift();
        if (batch === undefined) return { done: true, value: undefined };
        if (batch instanceof Error) throw batch;
        here = batch.map((text) => Frame.peek(text));
      }
      return { done: false, value: here.shift() as Frame };
    },
    poll: () => here.shift(),
    async return(): Promise<IteratorResult<Frame, undefined>> {
      reader.left = true;
      return { done: true, value: undefined };
    },
  };
  return reader;
}
