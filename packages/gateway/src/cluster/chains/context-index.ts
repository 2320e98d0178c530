import { entryOf } from './leases.js';
import { lifetimes } from '../keys.js';
import { packId, unpackId } from './response-id.js';
import { MalformedReply } from '../redis/redis-store.js';
import { scriptOf } from '../redis/script.js';
import type { ContextEnd } from '@turnwire/client/relay';
import type { Keys, Tenant } from '../keys.js';
import type { ChainLease } from './leases.js';
import type { RedisStore } from '../redis/redis-store.js';
import type { ClusterCounters } from '../counters.js';

/** Where a context or a response can be continued. */
export type ChainLocation =
  /** A stored response at the upstream, which any node can continue. */
  | { name: 'stored'; key: string; responseId: string; from: number }
  /** On a WebSocket of another node. */
  | { name: 'node'; session: string; address: string; response: string; lease: ChainLease };

/**
 * Finds the first key with a usable entry, in one step: a stored response; or a chain whose lease is valid, where the key's response is its last. The
 * script makes the keys of leases and nodes out of what it has found. So it needs one server, or one shard that has all of those keys.
 */
const searchScript = scriptOf(`
for index, key in ipairs(KEYS) do
  local found = redis.call('GET', key)
  if found and string.sub(found, 1, 1) == 's' then return { index, found } end
  local chain, response = string.match(found or '', '^b(%S+) (%S+)$')
  local lease = chain and redis.call('GET', ARGV[1] .. 'l' .. chain)
  local fence, session, last = string.match(lease or '', '^(%d+) %S+ (%S+) (%S+)$')
  if fence and last == string.sub(response, 1, #last) then
    local address = redis.call('GET', ARGV[2] .. session)
    if address then return { index, found, fence, session, address } end
  end
end
return {}`);

/** The contexts that any node has seen, each with the response at its end. */
export class ContextIndex {
  readonly #store: RedisStore;
  readonly #keys: Keys;
  readonly #counters: ClusterCounters;

  constructor(store: RedisStore, keys: Keys, counters: ClusterCounters) {
    this.#store = store;
    this.#keys = keys;
    this.#counters = counters;
  }

  /** The location of the longest context that can be continued. Never rejects; undefined also where Redis does not answer in time. */
  async findLongest(tenant: Tenant, ends: readonly ContextEnd[]): Promise<ChainLocation | undefined> {
    const keys = ends.map(({ digest }) => tenant.context(digest));
    const found = await this.#search(tenant, keys);
    const [end, key] = found === undefined ? [] : [ends[found.index], keys[found.index]];
    if (found === undefined || end === undefined || key === undefined) return undefined;
    const { value } = found;
    if (value.startsWith('s')) return { name: 'stored', key, responseId: unpackId(value.slice(1)), from: end.from };
    return this.#nodeLocation(found);
  }

  /** The node that has the chain of a response on one of its sockets. */
  async findNode(tenant: Tenant, responseId: string): Promise<Extract<ChainLocation, { name: 'node' }> | undefined> {
    const found = await this.#search(tenant, [entryOf(tenant, tenant.response(responseId))]);
    return found === undefined ? undefined : this.#nodeLocation(found);
  }

  /** Notes the contexts that a stored response ends. They are known to other nodes soon: see `HeldBack`. */
  add(tenant: Tenant, responseId: string, digests: readonly string[]): void {
    const value = `s${packId(responseId)}`;
    for (const digest of digests)
      void this.#store.command(['SET', tenant.context(digest), value, 'PX', String(lifetimes.context)], String, 'soon');
  }

  /** Forgets a stored response that the upstream does not know, unless another response ends the same context by now. */
  forget({ key, responseId }: Extract<ChainLocation, { name: 'stored' }>): void {
    this.#counters.count('lookups', 'stale');
    void this.#store.run(removeIfSameScript, [key], [`s${packId(responseId)}`], Number);
  }

  #nodeLocation({ value, rest }: SearchReply): Extract<ChainLocation, { name: 'node' }> | undefined {
    const [, chain, response] = /^b(\S+) (\S+)$/.exec(value) ?? [];
    const [fence, session, shared] = rest;
    if (chain === undefined || response === undefined || fence === undefined || session === undefined) return undefined;
    const address = this.#keys.verifiedAddress(session, shared ?? '');
    return address === undefined ? undefined : { name: 'node', session, address, response, lease: { chain, fence } };
  }

  async #search(tenant: Tenant, keys: readonly string[]): Promise<SearchReply | undefined> {
    const found = await this.#store.run(searchScript, keys, [tenant.prefix, this.#keys.node('')], searchReplyIn);
    if (found === undefined || found === 'nothing') {
      this.#counters.count('lookups', found === undefined ? 'unanswered' : 'none');
      return undefined;
    }
    this.#counters.count('lookups', found.value.startsWith('s') ? 'stored' : 'node');
    return found;
  }
}

const removeIfSameScript = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

interface SearchReply {
  index: number;
  value: string;
  rest: readonly string[];
}

function searchReplyIn(reply: unknown): SearchReply | 'nothing' {
  if (!Array.isArray(reply)) throw new MalformedReply(reply);
  const [index, value, ...rest] = reply as unknown[];
  if (index === undefined) return 'nothing';
  if (typeof index !== 'number' || typeof value !== 'string' || !rest.every((one) => typeof one === 'string'))
    throw new MalformedReply(reply);
  return { index: index - 1, value, rest };
}
