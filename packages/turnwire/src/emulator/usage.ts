import { createHash } from 'node:crypto';
import type { CreateRequest } from './request.js';
import type { Item, Usage } from './wire.js';

/** How many contexts are remembered for `cached_tokens`; the oldest is forgotten first. */
const REMEMBERED_CONTEXTS = 10_000;
const BYTES_PER_TOKEN = 4;

interface Weight {
  readonly bytes: number;
  readonly digest: string;
}

/**
 * Counts tokens by one rule, the same for every transport: **a token is four bytes of UTF-8 JSON, rounded up.**
 *
 * - input: the settings a model reads (`model`, `instructions`, `tools`) and every item of the full context, whether it
 *   was sent or known by id (P79: the whole logical context is billed);
 * - cached: of these, what stands before the first difference from any context or finished turn seen before;
 * - output: the output items; reasoning items also count as `reasoning_tokens`.
 *
 * Not imitated: real tokenizers, the provider's minimum of 1,024 tokens for a cache hit, its expiry.
 */
export class TokenCounter {
  readonly #weights = new WeakMap<Item, Weight>();
  /** Digests of contexts seen; a Set keeps their order. */
  readonly #seen = new Set<string>();

  count(request: CreateRequest, context: readonly Item[], output: readonly Item[]): Usage {
    const settings = JSON.stringify([request.model, request.instructions ?? null, request.tools ?? []]);
    let digest = hash('', settings);
    let bytes = Buffer.byteLength(settings);
    let cachedBytes = this.#seen.has(digest) ? bytes : 0;
    this.#remember(digest);
    for (const item of context) {
      const weight = this.#weigh(item);
      digest = hash(digest, weight.digest);
      bytes += weight.bytes;
      if (this.#seen.has(digest)) cachedBytes = bytes;
    }
    this.#remember(digest);

    let outputBytes = 0;
    let reasoningBytes = 0;
    for (const item of output) {
      const weight = this.#weigh(item);
      digest = hash(digest, weight.digest);
      outputBytes += weight.bytes;
      if (item.type === 'reasoning') reasoningBytes += weight.bytes;
    }
    this.#remember(digest);

    const [input, produced] = [tokens(bytes), tokens(outputBytes)];
    return {
      input_tokens: input,
      input_tokens_details: { cached_tokens: tokens(cachedBytes) },
      output_tokens: produced,
      output_tokens_details: { reasoning_tokens: tokens(reasoningBytes) },
      total_tokens: input + produced,
    };
  }

  /** An item never changes, and one known by id comes back as the same object: each is weighed once. */
  #weigh(item: Item): Weight {
    const known = this.#weights.get(item);
    if (known !== undefined) return known;
    const text = JSON.stringify(item);
    const weight = { bytes: Buffer.byteLength(text), digest: hash('', text) };
    this.#weights.set(item, weight);
    return weight;
  }

  #remember(digest: string): void {
    this.#seen.delete(digest);
    this.#seen.add(digest);
    if (this.#seen.size <= REMEMBERED_CONTEXTS) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }
}

function tokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

function hash(before: string, text: string): string {
  return createHash('sha1').update(before).update('\n').update(text).digest('base64');
}
