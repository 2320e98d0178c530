import type { Frame } from '../protocol/frame.js';
import type { Reader } from '../turn/delivery.js';

/**
 * Reads an answer to its end, and keeps of it the last frame that says something of the whole.
 *
 * @throws what the turn failed with.
 */
export async function endingOf(frames: Reader<Frame>): Promise<Frame | undefined> {
  let last: Frame | undefined;
  for (;;) {
    const next = await frames.next();
    if (next.done) return last;
    let frame: Frame | undefined = next.value;
    for (; frame !== undefined; frame = frames.poll()) if (!frame.quiet) last = frame;
  }
}
