import type { InputItem, Response } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import { AgentError } from '../agent-error.js';
import { compacted, splitHistory, summaryInstructions, summaryOf } from './compaction.js';
import type { Conversation } from './conversation.js';
import { countUsage } from './count-usage.js';
import type { AgentEvent } from '../events.js';
import { runHooksAt } from '../hooks/run-hooks-at.js';
import { requestRedaction } from '../turn/request-redaction.js';
import { type TurnResult, takeTurn } from '../turn/turn.js';
import { readUsage } from '../turn/usage.js';

/** The reason to compact a history: it nears the limit, the provider has refused it, or the user asked for it. */
export type CompactionReason = 'threshold' | 'overflow' | 'manual';

/** docker-agent's two words for each reason. */
const sources: Readonly<Record<CompactionReason, string>> = {
  threshold: 'auto',
  overflow: 'overflow',
  manual: 'manual',
};

/** Replaces all but the newest items by a summary; false where there is nothing to sum up, or a hook refuses. */
export async function* compact(
  conversation: Conversation,
  reason: CompactionReason,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, boolean> {
  const { history, scope, agent } = conversation;
  const contextSize = windowOf(conversation);
  const division = splitHistory(history.items, { contextSize });
  if (division === undefined) return false;
  const used = conversation.usage ? readUsage(conversation.usage) : undefined;
  const event = {
    input_tokens: used?.input_tokens ?? 0,
    output_tokens: used?.output_tokens ?? 0,
    context_limit: contextSize ?? 0,
    compaction_reason: reason,
  };
  const steered = yield* runHooksAt(conversation, { point: 'pre_compact', event: { source: sources[reason] }, signal });
  const asked = yield* runHooksAt(conversation, { point: 'before_compaction', event, signal });
  const blocked = steered.blocked ?? asked.blocked;
  if (blocked !== undefined) {
    const why = blocked.reason === '' ? '' : `: ${blocked.reason}`;
    yield { type: 'warning', message: `the hook ${blocked.by} kept the conversation from being summed up${why}` };
    return false;
  }
  const summary = asked.summary ?? (yield* summaryBy(conversation, division.request, steered.context, signal));
  const before = history.items.length;
  history.compact(compacted(summary, division.kept));
  yield { type: 'session_compaction', items_before: before, items_after: history.items.length };
  yield* runHooksAt(conversation, { point: 'after_compaction', event: { ...event, summary }, signal });
  scope.ledger.check(agent);
  return true;
}

/** Has the agent's model write a summary. */
async function* summaryBy(
  conversation: Conversation,
  request: TurnResult['added'],
  wishes: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, string> {
  const instructions = [summaryInstructions, ...wishes].join('\n\n');
  const response = yield* askSeparately(conversation, compactingModel(conversation), { instructions, request, signal });
  // An incomplete summary would lose the rest of the history for good.
  const summary = response.status === 'completed' ? summaryOf(response) : '';
  if (summary === '')
    throw new AgentError('compaction', 'the conversation is too long for the model, and the model did not sum it up');
  return summary;
}

/** The context window that a history must fit into: the smaller one of the model and of the model that would sum it up. undefined: unknown. */
export function windowOf(conversation: Conversation): number | undefined {
  const [model = conversation.agent.model] = conversation.choice.candidates();
  const sizes = [model, compactingModel(conversation)].flatMap(({ contextSize }) => contextSize ?? []);
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

function compactingModel({ agent, choice }: Conversation): Model {
  const [model = agent.model] = choice.candidates();
  return agent.compactionModel ?? model.links.compaction ?? model;
}

interface Aside {
  instructions: string;
  request: readonly InputItem[];
  signal: AbortSignal;
}

/** Runs a turn outside of the conversation: its events are not passed on, but its usage is. */
export async function* askSeparately(
  { scope, agent }: Conversation,
  model: Model,
  { instructions, request, signal }: Aside,
): AsyncGenerator<AgentEvent, Response> {
  const asked = takeTurn({
    client: scope.clientFor(model),
    model,
    structuredOutput: undefined,
    instructions,
    input: requestRedaction(agent).items(request),
    tools: [],
    store: scope.store,
    signal,
  });
  const response = await silently(asked);
  yield* countUsage(scope, agent, response, model);
  return response;
}

async function silently(asked: AsyncGenerator<AgentEvent, TurnResult>): Promise<Response> {
  for (;;) {
    const step = await asked.next();
    if (step.done === true) return step.value.response;
  }
}
