import type { Usage } from '../protocol/response.js';

/** The usage of all responses of a client. */
export class UsageTotal {
  #value = { responses: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 };

  /** A server may leave fields out, or send others than numbers. */
  add({ input_tokens: input, output_tokens: output, input_tokens_details: details }: Usage): void {
    this.#value.responses += 1;
    this.#value.inputTokens += count(input);
    this.#value.cachedTokens += count(details?.cached_tokens);
    this.#value.outputTokens += count(output);
  }

  get value(): { responses: number; inputTokens: number; cachedTokens: number; outputTokens: number } {
    return { ...this.#value };
  }
}

function count(tokens: unknown): number {
  return typeof tokens === 'number' && Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}
