import { headersIn } from './metadata.js';
import type { Frame } from '../protocol/frame.js';
import type { Reader } from '../turn/delivery.js';

/** What an answer comes to, for whoever does not want its events. */
export interface Ending {
  /** The last frame that says something of the whole. */
  last: Frame | undefined;
  /** Those that came as events. */
  headers: Readonly<Record<string, string>>;
}

/**
 * Reads an answer to its end.
 *
 * @throws what the turn failed with.
 */
export async function endingOf(frames: Reader<Frame>): Promise<Ending> {
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
