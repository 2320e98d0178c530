import { messageOf } from '../../agent/base/abort.js';
import type { HookEvent } from '../../agent/hooks/hook-point.js';
import type { Session, SessionHook } from '../../agent/session.js';
import { printable } from '../process/terminal.js';

/** Runs the hooks that the agent has for a point around its session. Never rejects. */
export type RunHook = (point: SessionHook, event?: HookEvent) => Promise<void>;

/** All hooks of one point together, in milliseconds. */
const hookTime = 3_600_000;

/** Hooks around a session: what they have to say goes to the model; where they fail, the user is told, and nothing is stopped. */
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
