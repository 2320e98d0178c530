import { isHousekeeping } from '../../protocol/event-types.js';
import type { Frame } from '../../protocol/frame.js';
import type { EventReader } from '../../turn/buffer/event-buffer.js';

/** Frames of limits and keep-alives that are frames back at most; more of them are no reason to wait. */
const maxHeldFrames = 256;

/**
 * The beginning of an answer: its first event, and what came before it that says nothing of it (P60). Until then the status of the answer is not
 * known: a refusal can still follow (F11).
 *
 * @throws what the turn failed with before it began.
 */
export async function readFirstFrames(reader: EventReader<Frame>): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  while (frames.length < maxHeldFrames) {
    const next = await reader.next();
    if (next.done) break;
    frames.push(next.value);
    if (!isHousekeeping(next.value)) break;
  }
  return frames;
}
