import { isHousekeeping } from '../protocol/event-types.js';
import type { Frame } from '../protocol/frame.js';
import type { Reader } from '../turn/delivery.js';

/** Frames of limits and keep-alives that are held back at most; more of them are no reason to wait. */
const mostHeld = 256;

/**
 * The beginning of an answer: its first event, and what came before it that says nothing of it (P60). Until then the status of the answer is not
 * known: a refusal can still follow (F11).
 *
 * @throws what the turn failed with before it began.
 */
export async function openingOf(frames: Reader<Frame>): Promise<readonly Frame[]> {
  const held: Frame[] = [];
  while (held.length < mostHeld) {
    const next = await frames.next();
    if (next.done) break;
    held.push(next.value);
    if (!isHousekeeping(next.value)) break;
  }
  return held;
}
