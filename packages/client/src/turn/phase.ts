import { isHousekeeping } from '../protocol/frame.js';
import type { Phase } from '../protocol/errors.js';
import type { Frame } from '../protocol/frame.js';

/** How far a turn that was in `phase` is after this event: text is visible, and a finished call may already run. */
export function advance(phase: Phase, frame: Frame): Phase {
  const { type } = frame;
  if ((type !== undefined && early.has(type)) || isHousekeeping(frame)) return phase;
  if (type === 'response.output_item.done') {
    const { item } = frame.event as { item?: { type?: unknown } | null };
    if (typeof item?.type === 'string' && item.type.endsWith('_call')) return 'tool';
  }
  return 'visible';
}

/** The server has begun, and nothing is visible yet. */
const early: ReadonlySet<string> = new Set(['response.created', 'response.in_progress', 'response.queued']);
