import type { Context } from '../memory/context.js';
import type { Conversation } from '../memory/conversations.js';
import type { Memory, RememberedResponse } from '../memory/memory.js';
import { Refusal } from '../wire/refusal.js';
import type { CreateRequest } from '../request/request.js';
import type { Tenant } from '../base/tenant.js';
import type { LaneCache } from './lanes/connection-cache.js';
import type { Item } from '../wire/wire.js';

/** The beginning of a turn: the response or the conversation that the turn continues, if any, and the context made of that and its input. */
export interface Continuation {
  readonly parent: RememberedResponse | undefined;
  readonly conversation: Conversation | undefined;
  /** The context before the input of the turn. */
  readonly known: Context;
  /** The input of the turn. */
  readonly items: readonly Item[];
  /** The context with the input of the turn. */
  readonly context: Context;
}

/** The response that a turn continues. On a socket, the latest responses of its lanes are searched before the store (P71). */
export function findContinued(
  memory: Memory,
  request: CreateRequest,
  { laneCache, tenant }: { laneCache: LaneCache | undefined; tenant: Tenant },
): RememberedResponse | undefined {
  const id = request.previous_response_id;
  if (id === undefined) return undefined;
  const found = laneCache?.find(id) ?? memory.stored(id, tenant);
  if (found === undefined) throw notFound(id);
  return found;
}

/** The context after a response. @throws Refusal if a part of it was evicted */
export function contextAfter(response: RememberedResponse): Context {
  if (response.broken) throw notFound(response.response.id);
  return response.context;
}

/** The context after a stored response, for requests that run no turn. @throws Refusal if there is no such response */
export function storedContext(memory: Memory, id: string, tenant: Tenant): Context {
  const found = memory.stored(id, tenant);
  if (found === undefined) throw notFound(id);
  return contextAfter(found);
}

function notFound(id: string): Refusal {
  return new Refusal(`Previous response with id '${id}' not found.`, {
    code: 'previous_response_not_found',
    param: 'previous_response_id',
  });
}

/** The item that an `item_reference` names; any other item unchanged. @throws Refusal if there is no such item */
export function dereference(memory: Memory, item: Item, tenant: Tenant): Item {
  if (item.type !== 'item_reference') return item;
  const found = memory.item(String(item['id']), tenant);
  if (found !== undefined) return found;
  const message = `Item with id '${String(item['id'])}' not found. Items are not persisted when \`store\` is false.`;
  throw new Refusal(message, { status: 404, param: 'input' });
}
