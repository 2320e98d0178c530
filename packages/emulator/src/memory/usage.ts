import { createHash, hash } from 'node:crypto';
import type { Incremental } from '../base/incremental.js';
import type { Tenant } from '../base/tenant.js';
import { RecentSet } from '../base/recent-set.js';
import type { Context } from './context.js';
import type { CreateRequest } from '../request/request.js';
import { hasLongText, jsonPieces } from './json-pieces.js';
import type { ContextCount } from './context-count.js';
import { generatedText } from '../wire/generated-text.js';
import type { Item, Usage } from '../wire/wire.js';

/** How many digests of contexts are remembered for `cached_tokens`, at least: those that were used last. */
const rememberedContexts = 10_000;
/** The number of items that are counted in one step. */
const countedPerStep = 500;
export const bytesPerToken = 4;

/** The settings of a request that a model reads. */
interface CountedSettings extends Pick<CreateRequest, 'instructions'> {
  readonly model?: string | undefined;
  readonly tools?: CreateRequest['tools'];
}

/** The input of a turn, which is counted: the settings and the whole context, on behalf of a tenant. */
export interface CountedInput<Request extends CountedSettings = CountedSettings> {
  readonly request: Request;
  readonly context: Context;
  readonly tenant: Tenant;
}

/** The usage of a turn, and the size of its output. */
export interface Count {
  readonly usage: Usage;
  /** The bytes of the output items, as JSON. */
  readonly outputBytes: number;
}

/**
 * Counts tokens by one rule, the same for every transport: **a token is four bytes of UTF-8 JSON, rounded up.**
 *
 * - input: the settings that a model reads (`model`, `instructions`, `tools`) and every item of the full context, whether the item was sent
 *   or known by an id (P79: the whole logical context is billed);
 * - cached: the part of the input before the first difference from any context or finished turn of the same tenant that was seen before: what
 *   another tenant has sent cannot be found out by its cached tokens;
 * - output: the generated text of the output items (`generatedText`), without ids and types; reasoning also counts as `reasoning_tokens`.
 *   So `max_output_tokens` limits generated text, as it does for a model.
 *
 * Not imitated: real tokenizers, the provider's minimum of 1,024 tokens for a cache hit, its expiry.
 */
export class TokenCounter {
  /** The digests of the contexts that were seen. */
  readonly #seen = new RecentSet(rememberedContexts);
  /** The settings of the previous request, their tenant and their digest, which most requests share. */
  #lastSettings = { tenant: '', text: '', digest: '' };

  *count(input: CountedInput, output: readonly Item[]): Incremental<Count> {
    const { settings, digest: begin, bytes, cachedBytes } = yield* this.#countContext(input);
    this.#seen.add(settings);
    this.#seen.add(begin);
    let digest = begin;
    let outputBytes = 0;
    let wordBytes = 0;
    let reasoningBytes = 0;
    for (const item of output) {
      const counted = hasLongText(item) ? yield* countItemInSteps(digest, item) : countItem(digest, item);
      ({ digest } = counted);
      outputBytes += counted.bytes;
      const words = Buffer.byteLength(generatedText(item));
      wordBytes += words;
      if (item.type === 'reasoning') reasoningBytes += words;
    }
    this.#seen.add(digest);

    const [received, produced] = [tokens(bytes), tokens(wordBytes)];
    const usage = {
      input_tokens: received,
      input_tokens_details: { cached_tokens: tokens(cachedBytes) },
      output_tokens: produced,
      output_tokens_details: { reasoning_tokens: tokens(reasoningBytes) },
      total_tokens: received + produced,
    };
    return { usage, outputBytes };
  }

  /** The input tokens of a request, without remembering its context. */
  *countInput(input: CountedInput): Incremental<number> {
    return tokens((yield* this.#countContext(input)).bytes);
  }

  /**
   * Counts a context, and how much of it is cached. The count begins at the nearest ancestor that was counted with the same settings and is
   * still cached, so that a turn of a long chain counts its new items alone.
   */
  *#countContext({
    request,
    context,
    tenant,
  }: CountedInput): Incremental<ContextCount & { readonly cachedBytes: number }> {
    const text = settingsOf(request);
    if (text !== this.#lastSettings.text || tenant !== this.#lastSettings.tenant) {
      this.#lastSettings = { tenant, text, digest: chained(tenant, text) };
    }
    const settings = this.#lastSettings.digest;
    const uncounted: Context[] = [];
    let at: Context | undefined = context;
    let known: ContextCount | undefined;
    for (; at !== undefined; at = at.parent) {
      const previous = at.count;
      if (previous?.settings === settings && this.#seen.has(previous.digest)) {
        known = previous;
        break;
      }
      uncounted.push(at);
    }
    let { digest, bytes } = known ?? { digest: settings, bytes: Buffer.byteLength(text) };
    let cachedBytes = this.#seen.has(digest) ? bytes : 0;
    for (const each of uncounted.toReversed()) {
      for (const [index, item] of each.own.entries()) {
        if (index % countedPerStep === countedPerStep - 1) yield;
        const counted = hasLongText(item) ? yield* countItemInSteps(digest, item) : countItem(digest, item);
        ({ digest } = counted);
        bytes += counted.bytes;
        if (this.#seen.has(digest)) cachedBytes = bytes;
      }
      each.count = { settings, digest, bytes };
    }
    return { settings, digest, bytes, cachedBytes };
  }

  /** The usage of a response whose output was cut short: the input of `usage`, and the tokens of `output`. */
  usageOfPart(usage: Usage, output: readonly Item[]): Usage {
    const bytes = (items: readonly Item[]) =>
      items.reduce((sum, item) => sum + Buffer.byteLength(generatedText(item)), 0);
    const produced = tokens(bytes(output));
    return {
      ...usage,
      output_tokens: produced,
      output_tokens_details: { reasoning_tokens: tokens(bytes(output.filter(({ type }) => type === 'reasoning'))) },
      total_tokens: usage.input_tokens + produced,
    };
  }
}

function settingsOf({ model, instructions, tools: offered }: CountedSettings): string {
  return JSON.stringify([model ?? null, instructions ?? null, offered ?? []]);
}

function tokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken);
}

/** The digest of a context that ends with an item, and the bytes of that item's JSON. */
interface ItemCount {
  readonly digest: string;
  readonly bytes: number;
}

function countItem(before: string, item: Item): ItemCount {
  const text = JSON.stringify(item);
  const digested = item.type === 'reasoning' ? JSON.stringify(withoutCiphertext(item)) : text;
  return { digest: chained(before, digested), bytes: Buffer.byteLength(text) };
}

/** The same as `countItem` in steps, for an item with a long text, whose JSON is made in pieces. */
function* countItemInSteps(before: string, item: Item): Incremental<ItemCount> {
  const digest = createHash('sha1').update(`${before}\n`);
  let bytes = 0;
  for (const text of jsonPieces(withoutCiphertext(item))) {
    const piece = Buffer.from(text);
    digest.update(piece);
    bytes += piece.byteLength;
    yield;
  }
  const { encrypted_content: ciphertext } = item.type === 'reasoning' ? item : {};
  if (ciphertext !== undefined) {
    // A comma stands in place of the two braces.
    bytes -= 1;
    for (const text of jsonPieces({ encrypted_content: ciphertext })) {
      bytes += Buffer.byteLength(text);
      yield;
    }
  }
  return { digest: digest.digest('base64'), bytes };
}

/** A reasoning item without its encrypted content, whose text differs each time that it is sent. */
function withoutCiphertext(item: Item): Item {
  if (item.type !== 'reasoning') return item;
  const { encrypted_content: _, ...plain } = item;
  return plain;
}

function chained(before: string, text: string): string {
  return hash('sha1', `${before}\n${text}`, 'base64');
}
