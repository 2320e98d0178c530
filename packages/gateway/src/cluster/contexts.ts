import { entryOf } from './leases.js';
import { lifetimes } from './keys.js';
import { packId, unpackId } from './response-id.js';
import { NonsenseReply } from './redis/store.js';
import { scriptOf } from './redis/scripts.js';
import type { ContextEnd } from '@turnwire/client/relay';
import type { Keys, Tenant } from './keys.js';
import type { SeenLease } from './leases.js';
import type { Store } from './redis/store.js';
import type { Tally } from './tally.js';

/** Where a context, or a response, can be continued. */
export type Place =
  /** At the upstream, by anybody. */
  | { name: 'stored'; key: string; responseId: string; from: number }
  /** On a socket of another node. */
  | { name: 'node'; session: string; address: string; response: string; lease: SeenLease };

/**
 * The first of the keys that leads somewhere, in one step: a stored response, or a chain whose lease counts and whose last response it is.
 *
 * Keys of leases and nodes are made of what was found. So this takes one server, or one shard that holds all of it.
 */
const search = scriptOf(`
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

/** Which response ends which context, as all nodes have seen it. */
export class Contexts {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #tally: Tally;

  constructor(store: Store, keys: Keys, tally: Tally) {
    this.#store = store;
    this.#keys = keys;
    this.#tally = tally;
  }

  /** The longest context that somebody can continue. Never rejects; undefined also where no answer comes in time. */
  async longest(tenant: Tenant, ends: readonly ContextEnd[]): Promise<Place | undefined> {
    const keys = ends.map(({ digest }) => tenant.context(digest));
    const found = await this.#search(tenant, keys);
    const [end, key] = found === undefined ? [] : [ends[found.index], keys[found.index]];
    if (found === undefined || end === undefined || key === undefined) return undefined;
    const { value } = found;
    if (value.startsWith('s')) return { name: 'stored', key, responseId: unpackId(value.slice(1)), from: end.from };
    return this.#nodeOf(found);
  }

  /** The node that a response is bound to. */
  async nodeOf(tenant: Tenant, responseId: string): Promise<Extract<Place, { name: 'node' }> | undefined> {
    const found = await this.#search(tenant, [entryOf(tenant, tenant.response(responseId))]);
    return found === undefined ? undefined : this.#nodeOf(found);
  }

  /** A stored response ends a context. */
  keep(tenant: Tenant, responseId: string, digests: readonly string[]): void {
    const value = `s${packId(responseId)}`;
    for (const digest of digests)
      void this.#store.command(['SET', tenant.context(digest), value, 'PX', String(lifetimes.context)], String);
  }

  /** The upstream does not know the response, unless another one has taken its place meanwhile. */
  forget({ key, responseId }: Extract<Place, { name: 'stored' }>): void {
    this.#tally.count('lookups', 'stale');
    void this.#store.run(removeSame, [key], [`s${packId(responseId)}`], Number);
  }

  #nodeOf({ value, rest }: Found): Extract<Place, { name: 'node' }> | undefined {
    const [, chain, response] = /^b(\S+) (\S+)$/.exec(value) ?? [];
    const [fence, session, shared] = rest;
    if (chain === undefined || response === undefined || fence === undefined || session === undefined) return undefined;
    const address = this.#keys.unsealed(session, shared ?? '');
    return address === undefined ? undefined : { name: 'node', session, address, response, lease: { chain, fence } };
  }

  async #search(tenant: Tenant, keys: readonly string[]): Promise<Found | undefined> {
    const found = await this.#store.run(search, keys, [tenant.prefix, this.#keys.node('')], foundIn);
    if (found === undefined || found === 'nothing') {
      this.#tally.count('lookups', found === undefined ? 'unanswered' : 'none');
      return undefined;
    }
    this.#tally.count('lookups', found.value.startsWith('s') ? 'stored' : 'node');
    return found;
  }
}

const removeSame = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

interface Found {
  index: number;
  value: string;
  rest: readonly string[];
}

function foundIn(reply: unknown): Found | 'nothing' {
  if (!Array.isArray(reply)) throw new NonsenseReply(reply);
  const [index, value, ...rest] = reply as unknown[];
  if (index === undefined) return 'nothing';
  if (typeof index !== 'number' || typeof value !== 'string' || !rest.every((one) => typeof one === 'string'))
    throw new NonsenseReply(reply);
  return { index: index - 1, value, rest };
}
