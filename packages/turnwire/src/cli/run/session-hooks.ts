import { messageOf } from '../../agent/base/abort.js';
import type { HookEvent } from '../../agent/hooks/hook-point.js';
import type { Session, SessionHook } from '../../agent/session.js';
import { printable } from '../process/terminal.js';

/** Runs the hooks of a session at one point. Never rejects. */
export type RunHook = (point: SessionHook, event?: HookEvent) => Promise<void>;

/** The longest time of all hooks of one point together, in milliseconds. */
const hookTime = 3_600_000;

/** Runs the hooks of a session at one point. Their output goes to the model; a failure is reported to the user, and does not stop the session. */
export async function runSessionHook(
  session: Session,
  point: SessionHook,
  event: HookEvent,
  tell: (message: string) => void,
): Promise<void> {
  try {
    const { warnings } = await session.hook(point, event, AbortSignal.timeout(hookTime));
    for (const warning of warnings) tell(`turnwire: ${printable(warning)}`);
  } catch (error) {
    tell(`turnwire: the hooks of ${point} failed: ${printable(messageOf(error))}`);
  }
}
