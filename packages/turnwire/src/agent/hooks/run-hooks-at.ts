import { AgentError } from '../agent-error.js';
import type { Conversation, ConversationHook } from '../conversation/conversation.js';
import type { AgentEvent } from '../events.js';
import type { HookVerdict, HookReason } from './hook-verdict.js';

/** Runs the hooks of a conversation's agent for a point, and passes their warnings to the user. */
export async function* runHooksAt(
  conversation: Conversation,
  call: ConversationHook,
): AsyncGenerator<AgentEvent, HookVerdict> {
  const verdict = await conversation.hook(call);
  for (const message of verdict.warnings) yield { type: 'warning', message };
  return verdict;
}

/** Runs hooks at a point at which a refusal ends the run. */
export async function* runBlockingHooks(
  conversation: Conversation,
  call: ConversationHook,
): AsyncGenerator<AgentEvent, HookVerdict> {
  const verdict = yield* runHooksAt(conversation, call);
  if (verdict.blocked !== undefined) throw endedBy(verdict.blocked);
  return verdict;
}

/** The error of a run that a hook has ended. */
export function endedBy({ by, reason }: HookReason): AgentError {
  return new AgentError('hook_blocked', `the hook ${by} ended the run${reason === '' ? '' : `: ${reason}`}`);
}
