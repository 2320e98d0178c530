import { AgentError } from '../agent-error.js';
import type { Conversation, ConversationHook } from '../conversation/conversation.js';
import type { AgentEvent } from '../events.js';
import type { HookVerdict, HookReason } from './hook-verdict.js';

/** Runs the hooks that a conversation's agent has for a point, and tells the user what they have to say. */
export async function* runHooksAt(
  conversation: Conversation,
  call: ConversationHook,
): AsyncGenerator<AgentEvent, HookVerdict> {
  const verdict = await conversation.hook(call);
  for (const message of verdict.warnings) yield { type: 'warning', message };
  return verdict;
}

/** The same, at a point where a no ends the run. */
export async function* runBlockingHooks(
  conversation: Conversation,
  call: ConversationHook,
): AsyncGenerator<AgentEvent, HookVerdict> {
  const verdict = yield* runHooksAt(conversation, call);
  if (verdict.blocked !== undefined) throw endedBy(verdict.blocked);
  return verdict;
}

/** That a hook has ended the run. */
export function endedBy({ by, reason }: HookReason): AgentError {
  return new AgentError('hook_blocked', `the hook ${by} ended the run${reason === '' ? '' : `: ${reason}`}`);
}
