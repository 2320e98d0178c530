import { Context } from './context.js';
import type { Ids } from '../wire/ids.js';
import type { ListedItem, ListedItems } from './listed-item.js';
import type { MemoryLimits } from './memory.js';
import { Refusal } from '../wire/refusal.js';
import type { Tenant } from '../base/tenant.js';
import type { Item } from '../wire/wire.js';

export interface Conversation {
  readonly id: string;
  readonly tenant: Tenant;
  /** When it was created, in seconds since 1970. */
  readonly createdAt: number;
  metadata: Readonly<Record<string, string>>;
  items: ListedItem[];
  /** The items as the context with which a turn of the conversation begins. */
  context: Context;
  bytes: number;
}

/**
 * The conversations that the server keeps (`/v1/conversations`). A turn that names one begins with its items, and adds its own input and
 * output to it. Their number and bytes are limited as those of responses are; the oldest are dropped first.
 */
export class Conversations {
  readonly #limits: MemoryLimits;
  readonly #ids: Ids;
  readonly #listed: ListedItems;
  readonly #all = new Map<string, Conversation>();
  #bytes = 0;

  constructor(limits: MemoryLimits, ids: Ids, listed: ListedItems) {
    this.#limits = limits;
    this.#ids = ids;
    this.#listed = listed;
  }

  create(tenant: Tenant, items: readonly Item[], metadata: Readonly<Record<string, string>>): Conversation {
    const createdAt = Math.floor(Date.now() / 1000);
    const created: Conversation = {
      id: this.#ids.next('conv'),
      tenant,
      createdAt,
      metadata,
      items: [],
      context: Context.of([]),
      bytes: 0,
    };
    this.#all.set(created.id, created);
    this.append(created, items);
    return created;
  }

  /** The conversation with this id. @throws Refusal with status 404 if the tenant has none */
  get(id: string, tenant: Tenant): Conversation {
    const found = this.#all.get(id);
    if (found?.tenant === tenant) return found;
    throw new Refusal(`Conversation with id '${id}' not found.`, { status: 404, param: 'conversation' });
  }

  /** Adds items at the end, and returns them in the form in which they are listed. */
  append(conversation: Conversation, items: readonly Item[]): readonly ListedItem[] {
    const added = items.map((item) => this.#listed.of(item));
    conversation.items.push(...added);
    conversation.context = conversation.context.with(added);
    this.#grow(conversation, sizeOf(added));
    for (const oldest of this.#all.values()) {
      if (this.#all.size <= this.#limits.storedResponses && this.#bytes <= this.#limits.storedBytes) break;
      if (oldest !== conversation) this.delete(oldest);
    }
    return added;
  }

  removeItem(conversation: Conversation, id: string): void {
    const removed = conversation.items.filter((item) => item.id === id);
    const kept = conversation.items.filter((item) => item.id !== id);
    conversation.items = kept;
    conversation.context = Context.of(kept);
    this.#grow(conversation, -sizeOf(removed));
  }

  delete(conversation: Conversation): void {
    if (this.#all.delete(conversation.id)) this.#bytes -= conversation.bytes;
  }

  #grow(conversation: Conversation, byBytes: number): void {
    conversation.bytes += byBytes;
    // A conversation that was deleted while one of its turns ran no longer counts.
    if (this.#all.get(conversation.id) === conversation) this.#bytes += byBytes;
  }
}

function sizeOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
}
