import { headersIn } from './metadata-headers.js';
import type { Frame } from '../../protocol/frame.js';
import type { EventReader } from '../../turn/buffer/event-buffer.js';

/** The result of a response whose events are not wanted. */
export interface FinalFrame {
  /** The last inspected frame. */
  last: Frame | undefined;
  /** Headers that came in events. */
  headers: Readonly<Record<string, string>>;
}

/**
 * Reads a response to its end.
 *
 * @throws what the turn failed with.
 */
export async function readToEnd(frames: EventReader<Frame>): Promise<FinalFrame> {
  let last: Frame | undefined;
  const headers: Record<string, string> = {};
  for (;;) {
    const next = await frames.next();
    if (next.done) return { last, headers };
    let frame: Frame | undefined = next.value;
    for (; frame !== undefined; frame = frames.poll()) {
      if (frame.opaque) continue;
      last = frame;
      Object.assign(headers, headersIn(frame));
    }
  }
}
