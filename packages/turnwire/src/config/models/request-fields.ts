import type { TurnParams } from '@turnwire/client';
import type { Agent } from '../agent.js';

/**
 * The fields of each request that an agent file sets for a model, besides input, instructions and tools. A field that the file does not set is not sent, so
 * that the provider's default holds.
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
    // `none` is sent, since a model that reasons by default would go on reasoning without it. A summary is the only part of reasoning that models show.
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
