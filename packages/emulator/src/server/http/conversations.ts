import { z } from 'zod';
import { runWithoutPause } from '../../base/incremental.js';
import { Refusal } from '../../wire/refusal.js';
import { metadata, optional } from '../../request/fields.js';
import { isCompactionTrigger, itemsOf } from '../../request/items.js';
import type { Item } from '../../wire/wire.js';
import type { Conversation } from '../../memory/conversations.js';
import { checkedBody, segment, type Exchange } from './exchange.js';
import { listOf, pageOf } from './pagination.js';

/** The maximum number of items in one request. */
const maxItems = 20;

const items = z.array(z.unknown()).max(maxItems);
const createBody = z.looseObject({ items: optional(items), metadata: optional(metadata) });
const updateBody = z.looseObject({ metadata });
const itemsBody = z.looseObject({ items: items.min(1) });

export async function createConversation(exchange: Exchange): Promise<unknown> {
  const body = await checkedBody(exchange, createBody);
  const { engine, tenant } = exchange;
  const { conversations } = engine;
  return conversationBody(conversations.create(tenant, itemsIn(body.items ?? []), body.metadata ?? {}));
}

export function getConversation(exchange: Exchange): unknown {
  return conversationBody(conversationOf(exchange));
}

export async function updateConversation(exchange: Exchange): Promise<unknown> {
  const body = await checkedBody(exchange, updateBody);
  const conversation = conversationOf(exchange);
  conversation.metadata = body.metadata;
  return conversationBody(conversation);
}

export function deleteConversation(exchange: Exchange): unknown {
  const conversation = conversationOf(exchange);
  exchange.engine.conversations.delete(conversation);
  return { id: conversation.id, object: 'conversation.deleted', deleted: true };
}

export function listItems(exchange: Exchange): unknown {
  return pageOf(conversationOf(exchange).items, exchange.query);
}

export async function createItems(exchange: Exchange): Promise<unknown> {
  const body = await checkedBody(exchange, itemsBody);
  const added = exchange.engine.conversations.append(conversationOf(exchange), itemsIn(body.items));
  return listOf(added);
}

export function getItem(exchange: Exchange): unknown {
  const id = segment(exchange, 1);
  const found = conversationOf(exchange).items.find((item) => item.id === id);
  if (found !== undefined) return found;
  throw new Refusal(`Item with id '${id}' not found.`, { status: 404 });
}

/** Deletes an item and answers with the conversation, as the API does. Deleting an unknown item is no error. */
export function deleteItem(exchange: Exchange): unknown {
  const conversation = conversationOf(exchange);
  exchange.engine.conversations.removeItem(conversation, segment(exchange, 1));
  return conversationBody(conversation);
}

/** The checked items of a conversation. A `compaction_trigger` asks a response for something, and is none (P126). */
function itemsIn(received: readonly unknown[]): readonly Item[] {
  const checked = runWithoutPause(itemsOf(received, 'items'));
  if (!checked.some(isCompactionTrigger)) return checked;
  const message =
    "A 'compaction_trigger' is no item of a conversation; send it as the last item of a response's input.";
  throw new Refusal(message, { code: 'invalid_value', param: `items[${checked.findIndex(isCompactionTrigger)}]` });
}

function conversationOf(exchange: Exchange): Conversation {
  return exchange.engine.conversations.get(segment(exchange), exchange.tenant);
}

function conversationBody({ id, createdAt, metadata: said }: Conversation): unknown {
  return { id, object: 'conversation', created_at: createdAt, metadata: said };
}
