import { AgentError } from '../agent-error.js';
import { isYes } from '../base/yes.js';
import type { Conversation } from '../conversation/conversation.js';
import type { AgentEvent } from '../events.js';
import { runHooksAt } from '../hooks/run-hooks-at.js';

/** The number of turns that the user's yes adds, as in docker-agent. */
const more = 10;

/**
 * Handles a run that has reached its limit of turns: runs hooks, and asks the user whether the run may go on, where that is possible. Gives the new limit.
 *
 * @throws AgentError `max_turns`; the reason of the signal
 */
export async function* beyondLimit(
  conversation: Conversation,
  most: number,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, number> {
  const { agent, scope } = conversation;
  const turns = most === 1 ? '1 turn' : `${most} turns`;
  const message = `the agent is not done after ${turns}, the most this run may take`;
  const told = { notification_level: 'warning', notification_message: message };
  for (const point of ['notification', 'on_max_iterations'] as const)
    yield* runHooksAt(conversation, { point, event: told, signal });
  const question = `${agent.name} is not done after ${turns}, which is its "max_iterations". Go on for ${more} more? [y]es or [n]o`;
  const answer = await scope.askUser?.(question, { signal });
  signal.throwIfAborted();
  if (!isYes(answer)) throw new AgentError('max_turns', message);
  const event = { previous_max_iterations: most, new_max_iterations: most + more };
  yield* runHooksAt(conversation, { point: 'on_session_resume', event, signal });
  return most + more;
}
