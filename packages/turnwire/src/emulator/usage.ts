import { createHash } from 'node:crypto';
import type { CreateRequest } from './request.js';
import { wordsOf } from './items/words.js';
import type { Item, Usage } from './wire.js';

/** How many contexts are remembered for `cached_tokens`; the oldest is forgotten first. */
const REMEMBERED_CONTEXTS = 10_000;
export const BYTES_PER_TOKEN = 4;

/** The settings a model reads. */
interface Counted extends Pick<CreateRequest, 'instructions'> {
  readonly model?: string | undefined;
  readonly tools?: CreateRequest['tools'];
}

interface Weight {
  readonly bytes: number;
  readonly digest: string;
  /** Where it stood last: a long chain brings the same items in the same order, turn after turn. */
  stood?: { readonly after: string; readonly digest: string };
}

/**
 * Counts tokens by one rule, the same for every transport: **a token is four bytes of UTF-8 JSON, rounded up.**
 *
 * - input: the settings a model reads (`model`, `instructions`, `tools`) and every item of the full context, whether it
 *   was sent or known by id (P79: the whole logical context is billed);
 * - cached: of these, what stands before the first difference from any context or finished turn seen before;
 * - output: what the model wrote of the output items (`wordsOf`), not the ids and types around it; reasoning also counts
 *   as `reasoning_tokens`. So `max_output_tokens` limits words, as it does for a model.
 *
 * Not imitated: real tokenizers, the provider's minimum of 1,024 tokens for a cache hit, its expiry.
 */
export class TokenCounter {
  readonly #weights = new WeakMap<Item, Weight>();
  /** Digests of contexts seen; a Set keeps their order. */
  readonly #seen = new Set<string>();

  count(request: Counted, context: readonly Item[], output: readonly Item[]): Usage {
    const settings = settingsOf(request);
    let digest = hash('', settings);
    let bytes = Buffer.byteLength(settings);
    let cachedBytes = this.#seen.has(digest) ? bytes : 0;
    this.#remember(digest);
    for (const item of context) {
      const weight = this.#weigh(item);
      digest = standing(weight, digest);
      bytes += weight.bytes;
      if (this.#seen.has(digest)) cachedBytes = bytes;
    }
    this.#remember(digest);

    let outputBytes = 0;
    let reasoningBytes = 0;
    for (const item of output) {
      const weight = this.#weigh(item);
      digest = standing(weight, digest);
      const bytes = Buffer.byteLength(wordsOf(item));
      outputBytes += bytes;
      if (item.type === 'reasoning') reasoningBytes += bytes;
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

  /** The input tokens of a request, without remembering its context. */
  countInput(request: Counted, context: readonly Item[]): number {
    const bytes = context.reduce((sum, item) => sum + this.#weigh(item).bytes, Buffer.byteLength(settingsOf(request)));
    return tokens(bytes);
  }

  /** The usage of a response that ends before all of its output: the same input, less output. */
  cutShort(usage: Usage, output: readonly Item[]): Usage {
    const bytes = (items: readonly Item[]) => items.reduce((sum, item) => sum + Buffer.byteLength(wordsOf(item)), 0);
    const produced = tokens(bytes(output));
    return {
      ...usage,
      output_tokens: produced,
      output_tokens_details: { reasoning_tokens: tokens(bytes(output.filter(({ type }) => type === 'reasoning'))) },
      total_tokens: usage.input_tokens + produced,
    };
  }

  /** An item never changes, and one known by id comes back as the same object: each is weighed once. */
  #weigh(item: Item): Weight {
    const known = this.#weights.get(item);
    if (known !== undefined) return known;
    const bytes = Buffer.byteLength(JSON.stringify(item));
    // Encrypted reasoning is another text each time it is sent, and the same item.
    const { encrypted_content: _, ...plain } = item;
    const weight: Weight = { bytes, digest: hash('', JSON.stringify(item.type === 'reasoning' ? plain : item)) };
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

function settingsOf({ model, instructions, tools: offered }: Counted): string {
  return JSON.stringify([model ?? null, instructions ?? null, offered ?? []]);
}

/** The digest of a context that ends with this item. */
function standing(weight: Weight, after: string): string {
  if (weight.stood?.after !== after) weight.stood = { after, digest: hash(after, weight.digest) };
  return weight.stood.digest;
}

function tokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

function hash(before: string, text: string): string {
  return createHash('sha1').update(before).update('\n').update(text).digest('base64');
}
