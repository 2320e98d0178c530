import { z } from 'zod';
import { runInSteps } from '../../base/incremental.js';
import { Context } from '../../memory/context.js';
import { storedContext } from '../../engine/continuation.js';
import { compactionItem } from '../../memory/compaction.js';
import type { RememberedResponse } from '../../memory/memory.js';
import { refuseUnknownModel } from '../../engine/models.js';
import { Refusal } from '../../wire/refusal.js';
import { createFields, optional, stringOrList, stringOrObject } from '../../request/fields.js';
import { itemsOf } from '../../request/items.js';
import { conversationIdOf } from '../../request/request.js';
import { isUserMessage } from '../../wire/transcript.js';
import type { Frame, Item } from '../../wire/wire.js';
import { checkedBody, segment, type Exchange } from './exchange.js';
import { pageOf } from './pagination.js';

function notFound(id: string): Refusal {
  return new Refusal(`Response with id '${id}' not found.`, { status: 404 });
}

function storedResponse({ engine: { memory }, tenant }: Exchange, id: string): RememberedResponse {
  const found = memory.stored(id, tenant);
  if (found === undefined) throw notFound(id);
  return found;
}

/** `GET /responses/{id}`: the response, or, with `stream=true`, its events after `starting_after` (P29). */
export async function retrieve(exchange: Exchange): Promise<unknown> {
  const { engine, query, tenant } = exchange;
  const id = segment(exchange);
  const job = engine.background.find(id, tenant);
  if (query.get('stream') !== 'true') return job?.response ?? storedResponse(exchange, id).response;
  const from = startOf(query);
  if (job !== undefined) return exchange.stream(job.follow(from, exchange.signal));
  const { events } = storedResponse(exchange, id);
  if (events !== undefined) return exchange.stream(skip(events(), from));
  const message = `The events of response '${id}' are not kept: those of recordings and of steered responses are not.`;
  throw new Refusal(message, { param: 'stream' });
}

/** The index of the first event to send. Events are numbered from 0, so their sequence number is their index. */
function startOf(query: URLSearchParams): number {
  const after = query.get('starting_after');
  if (after === null) return 0;
  if (/^\d{1,9}$/.test(after)) return Number(after) + 1;
  throw new Refusal("Invalid type for 'starting_after': expected the sequence number of an event.", {
    code: 'invalid_type',
    param: 'starting_after',
  });
}

function* skip(frames: Iterator<Frame>, count: number): Generator<Frame> {
  let index = 0;
  for (let step = frames.next(); step.done !== true; step = frames.next()) {
    if (index >= count) yield step.value;
    index += 1;
  }
}

export function remove(exchange: Exchange): unknown {
  const { memory, background } = exchange.engine;
  const id = segment(exchange);
  const wasStored = memory.unstore(id, exchange.tenant);
  if (!wasStored && background.find(id, exchange.tenant) === undefined) throw notFound(id);
  background.forget(id);
  return { id, object: 'response', deleted: true };
}

/** `GET /responses/{id}/input_items`: the items that the response continued, then its own input. */
export function inputItems(exchange: Exchange): unknown {
  const { engine, query } = exchange;
  const response = storedResponse(exchange, segment(exchange));
  const context = engine.memory.transcript(response);
  if (context === undefined) throw notFound(response.response.id);
  const output = new Set(response.response.output);
  const input = context.filter((item) => !output.has(item));
  return pageOf(
    input.map((item) => engine.listed.of(item)),
    query,
  );
}

/** `POST /responses/{id}/cancel`: cancels a background response. The answer is its state, also if it had ended before. */
export function cancel(exchange: Exchange): unknown {
  const { engine, tenant } = exchange;
  const id = segment(exchange);
  const job = engine.background.find(id, tenant);
  if (job !== undefined) {
    job.cancel();
    return job.response;
  }
  const { response } = storedResponse(exchange, id);
  if (response['background'] === true) return response;
  throw new Refusal('Cannot cancel a synchronous response.', { param: 'response_id' });
}

const compactBody = z.looseObject({
  model: z.string().min(1),
  input: optional(stringOrList),
  previous_response_id: optional(z.string().min(1)),
  instructions: optional(z.string()),
  prompt_cache_key: optional(z.string().max(64)),
});

/**
 * `POST /responses/compact` (P77): the input window for a new chain, which has the user's messages unchanged and one compaction item for the
 * rest. Nothing is stored.
 */
export async function compact(exchange: Exchange): Promise<unknown> {
  const { engine } = exchange;
  const body = await checkedBody(exchange, compactBody);
  refuseUnknownModel(body.model, engine.models);
  const context = contextOf(
    exchange,
    body.previous_response_id,
    undefined,
    await runInSteps(itemsOf(body.input ?? [])),
  );
  if (context.length === 0) {
    throw new Refusal("Missing required parameter: 'input'.", { code: 'missing_required_parameter', param: 'input' });
  }
  const { ids, listed, tokens } = engine;
  const messages = context.items().filter(isUserMessage);
  const output: readonly Item[] = [
    ...messages.map((item) => listed.of(item)),
    compactionItem(ids.next('cmp'), { turns: context.turns, window: true }),
  ];
  return {
    id: ids.next('comp'),
    object: 'response.compaction',
    created_at: Math.floor(Date.now() / 1000),
    output,
    usage: (await runInSteps(tokens.count({ request: body, context, tenant: exchange.tenant }, output.slice(-1))))
      .usage,
  };
}

const countedBody = createFields.extend({ model: optional(z.string().min(1)), conversation: optional(stringOrObject) });

/** `POST /responses/input_tokens`: the input tokens of a create with this body. No turn is run. */
export async function inputTokens(exchange: Exchange): Promise<unknown> {
  const { engine } = exchange;
  const body = await checkedBody(exchange, countedBody);
  const conversation = conversationIdOf(body.conversation);
  const context = contextOf(
    exchange,
    body.previous_response_id,
    conversation,
    await runInSteps(itemsOf(body.input ?? [])),
  );
  return {
    object: 'response.input_tokens',
    input_tokens: await runInSteps(engine.tokens.countInput({ request: body, context, tenant: exchange.tenant })),
  };
}

function contextOf(
  { engine, tenant }: Exchange,
  previous: string | undefined,
  conversation: string | undefined,
  input: readonly Item[],
): Context {
  const { conversations, memory } = engine;
  const known =
    conversation !== undefined
      ? conversations.get(conversation, tenant).context
      : previous === undefined
        ? undefined
        : storedContext(memory, previous, tenant);
  // The context is a new one, and not a continuation, because only turns continue a remembered context.
  return Context.of([...(known?.items() ?? []), ...input]);
}
