import { LocalIdRegistry } from '../../relay/access/id-registry.js';
import { lifetimes } from '../keys.js';
import { MalformedReply } from '../redis/redis-store.js';
import type { IdRegistry } from '../../relay/access/id-registry.js';
import type { Keys } from '../keys.js';
import type { RedisStore } from '../redis/redis-store.js';

/** The owners of ids, over all nodes. An id that no node knows, or that cannot be looked up, is refused to everybody. */
export class SharedIdRegistry implements IdRegistry {
  readonly #local = new LocalIdRegistry();
  readonly #store: RedisStore;
  readonly #keys: Keys;

  constructor(store: RedisStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  isOwn(principal: string, id: string): boolean | Promise<boolean> {
    const owner = this.#local.ownerOf(id);
    return owner === undefined ? this.#ask(principal, id) : owner === principal;
  }

  note(principal: string, ids: Iterable<string>): void {
    const owner = this.#keys.principal(principal);
    for (const id of ids) {
      if (this.#local.ownerOf(id) !== undefined) continue;
      this.#local.note(principal, [id]);
      // The first owner stays: a command that is executed twice changes nothing.
      void this.#store.command(['SET', this.#keys.owner(id), owner, 'NX', 'PX', String(lifetimes.id)], textOrNull);
    }
  }

  async #ask(principal: string, id: string): Promise<boolean> {
    const owner = await this.#store.command(['GET', this.#keys.owner(id)], textOrNull);
    if (owner !== this.#keys.principal(principal)) return false;
    this.#local.note(principal, [id]);
    return true;
  }
}

function textOrNull(reply: unknown): string | null {
  if (reply !== null && typeof reply !== 'string') throw new MalformedReply(reply);
  return reply;
}
