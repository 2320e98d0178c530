import type { TurnParams } from '@turnwire/client';
import type { Agent } from '../agent.js';

/**
 * What an agent file decides about each request besides its input, its instructions and its tools, for one of the agent's models. What the
 * file does not say is not sent, so that the provider's own defaults hold.
 */
export function requestFields({ model, structuredOutput }: Pick<Agent, 'model' | 'structuredOutput'>): TurnParams {
  const { effort } = model;
  return {
    model: model.model,
    ...given('temperature', model.temperature),
    ...given('top_p', model.topP),
    ...given('max_output_tokens', model.maxTokens),
    ...given('parallel_tool_calls', model.parallelToolCalls),
    ...given('service_tier', model.serviceTier),
    ...given('store', model.store),
    // `none` is sent and not left out: models that reason by default would go on doing so. A summary is all that they show of it.
    ...given(
      'reasoning',
      effort === undefined ? undefined : effort === 'none' ? { effort } : { effort, summary: 'detailed' },
    ),
    ...given('text', structuredOutput && { format: { type: 'json_schema', ...structuredOutput } }),
  };
}

function given(name: string, value: unknown): TurnParams {
  return value === undefined ? {} : { [name]: value };
}
