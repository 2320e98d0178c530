import type { Phase } from '../protocol/phase.js';
import type { Frame } from '../protocol/frame.js';

/** How far a turn that was in `phase` is after this event: text is visible, and a finished call may already run. */
export function phaseAfter(phase: Phase, frame: Frame): Phase {
  if (frame.traits.visible !== true) return phase;
  if (frame.type === 'response.output_item.done') {
    const { item } = frame.event as { item?: { type?: unknown } | null };
    if (typeof item?.type === 'string' && item.type.endsWith('_call')) return 'tool';
  }
  return 'visible';
}
