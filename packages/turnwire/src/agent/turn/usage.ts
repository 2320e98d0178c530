import type { Usage } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import type { TokenUsage } from '../events.js';

export const noTokens: TokenUsage = { input_tokens: 0, cached_tokens: 0, output_tokens: 0, reasoning_tokens: 0 };

/** The usage in turnwire's fields; a missing count is 0, since not every server counts everything. */
export function readUsage(usage: Usage): TokenUsage {
  return {
    input_tokens: usage.input_tokens ?? 0,
    cached_tokens: usage.input_tokens_details?.cached_tokens ?? 0,
    output_tokens: usage.output_tokens ?? 0,
    reasoning_tokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
  };
}

export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    reasoning_tokens: a.reasoning_tokens + b.reasoning_tokens,
  };
}

/**
 * The cost in US dollars; undefined where the file does not have the model's prices. Input that was written to the cache is counted where the server reports
 * it.
 */
export function costOf(usage: Usage, { cost }: Model): number | undefined {
  if (cost === undefined) return undefined;
  const { input_tokens: input, cached_tokens: cached, output_tokens: output } = readUsage(usage);
  const details: Readonly<Record<string, unknown>> = usage.input_tokens_details ?? {};
  const written = typeof details['cache_write_tokens'] === 'number' ? details['cache_write_tokens'] : 0;
  const plain = Math.max(0, input - cached - written);
  const millionths = plain * cost.input + cached * cost.cacheRead + written * cost.cacheWrite + output * cost.output;
  return millionths / 1_000_000;
}

/** The tokens and the cost of all turns so far. */
export class Totals {
  tokens = noTokens;
  /** The cost; undefined while no turn had a price. */
  cost: number | undefined;

  add(tokens: TokenUsage, cost: number | undefined): void {
    this.tokens = addUsage(this.tokens, tokens);
    if (cost !== undefined) this.cost = (this.cost ?? 0) + cost;
  }
}
