import { maxHeldFrames } from '../../base/bounds.js';
import { isHousekeeping } from '../../protocol/event-types.js';
import type { Frame } from '../../protocol/frame.js';
import type { EventReader } from '../../turn/buffer/event-buffer.js';

/**
 * Reads up to the first event that is no housekeeping (P60). Before it the status of the response is not known: a refusal can still follow (F11).
 *
 * @throws the error of a turn that failed before its first event.
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
