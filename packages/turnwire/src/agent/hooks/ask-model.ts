import type { Agent } from '../../config/agent.js';
import type { SessionScope } from '../conversation/conversation.js';
import { countUsage } from '../conversation/count-usage.js';
import type { AgentEvent } from '../events.js';
import { requestRedaction } from '../turn/request-redaction.js';
import { textOf } from '../turn/text-extractor.js';
import { takeTurn, type TurnResult } from '../turn/turn.js';
import type { HookQuestion } from './model-hook.js';

/**
 * Asks a model for a hook: one turn without tools. Its usage counts for the budgets, and is reported with the run.
 *
 * @throws what the client throws; AgentError once a budget is used up; Error for an answer that broke off
 */
export async function askForHook(
  scope: SessionScope,
  agent: Agent,
  { model: name, instructions, prompt, form, signal }: HookQuestion,
): Promise<string> {
  const model = agent.hookModels.get(name);
  if (model === undefined) throw new Error('the agent has no such model');
  scope.ledger.check(agent);
  const asked = takeTurn({
    client: scope.clientFor(model),
    model,
    structuredOutput: form,
    instructions,
    input: requestRedaction(agent).items([{ type: 'message', role: 'user', content: prompt }]),
    tools: [],
    store: scope.store,
    signal,
  });
  const { response } = await lastOf(asked);
  scope.sideEvents.push(...countUsage(scope, agent, response, model));
  if (response.status !== 'completed') throw new Error('its answer broke off');
  return textOf(response);
}

async function lastOf(asked: AsyncGenerator<AgentEvent, TurnResult>): Promise<TurnResult> {
  for (;;) {
    const step = await asked.next();
    if (step.done === true) return step.value;
  }
}
