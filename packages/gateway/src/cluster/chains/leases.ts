import { randomBytes } from 'node:crypto';
import { lifetimes } from '../keys.js';
import { MalformedReply } from '../redis/redis-store.js';
import { scriptOf } from '../redis/script.js';
import type { Tenant } from '../keys.js';
import type { Session } from '../session.js';
import type { RedisStore } from '../redis/redis-store.js';
import type { CounterOutcomes, ClusterCounters } from '../counters.js';

/** The last response of a chain that lives on a socket of this node. */
interface HeldChain {
  /** The lease once it names this response; undefined where the write was refused or not answered: the next response then begins a new chain. */
  readonly lease: Promise<ChainLease | undefined>;
  /** The keys of the entries that lead to the response. */
  readonly entries: readonly string[];
  /** True while this node can continue the response. */
  readonly holds: () => boolean;
}

/** A turn that has ended, on a chain that is bound to a socket of this node. */
export interface ChainTurn {
  tenant: Tenant;
  responseId: string;
  /** The response that the turn has continued; undefined for the first turn of a chain. */
  continued: string | undefined;
  /** The lease of another node's chain that this turn has taken over. */
  taken: ChainLease | undefined;
  /** Digests of the context at the turn's end. */
  digests: readonly string[];
  holds: () => boolean;
}

/** A lease as it stood when it was looked up. */
export interface ChainLease {
  chain: string;
  fence: string;
}

/** The characters of a response's hash that a lease shows: enough to tell whether it is the last one of the chain. */
const shownLength = 11;

/** The most chains of this node that are remembered. The oldest are forgotten first; their next turns are sent in full. */
const maxHeldChains = 50_000;

/**
 * Moves a chain on to its next response, in one step. The writer names the token that it saw last, or none for a new chain. The write is refused with "0"
 * where another token stands: another node has the chain, or the lease has lapsed. It is refused with "-1" where the writer's own session has lapsed. Each
 * write takes a new token, by the clock of Redis, and larger than the one that stands. A write that is executed twice counts once.
 */
const advanceScript = scriptOf(`
if redis.call('EXISTS', KEYS[2]) == 0 then return '-1' end
local fence, write = '', ''
local stands = redis.call('GET', KEYS[1])
if stands then fence, write = string.match(stands, '^(%d+) (%S+) ') end
if write == ARGV[3] then return fence end
if fence ~= ARGV[2] then return '0' end
local time = redis.call('TIME')
local token = tonumber(time[1]) * 1000000 + tonumber(time[2])
if fence ~= '' and tonumber(fence) >= token then token = tonumber(fence) + 1 end
token = string.format('%.0f', token)
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[3] .. ' ' .. ARGV[1] .. ' ' .. ARGV[4], 'PX', ARGV[5])
local old = tonumber(ARGV[7])
for index = 3, 2 + old do redis.call('DEL', KEYS[index]) end
for index = 3 + old, #KEYS do redis.call('SET', KEYS[index], ARGV[6], 'PX', ARGV[5]) end
return token`);

/**
 * Leases in Redis with a fencing token: they tell which node holds a chain that is bound to a socket. A lease is valid while the session of its node is. A
 * node that takes a chain over gets a larger token, and the writes of the former owner are refused from then on.
 */
export class Leases {
  readonly #store: RedisStore;
  readonly #session: Session;
  readonly #counters: ClusterCounters;
  /** The chains of this node, by the hash of their last response. */
  readonly #held = new Map<string, HeldChain>();

  constructor(store: RedisStore, session: Session, counters: ClusterCounters) {
    this.#store = store;
    this.#session = session;
    this.#counters = counters;
  }

  /** True for a response that this node can continue. @param response the hash of its id */
  holds(response: string): boolean {
    return this.#held.get(response)?.holds() === true;
  }

  /** Writes the lease after a turn. Never rejects, and no turn waits for it. */
  async advance(turn: ChainTurn): Promise<void> {
    const { tenant, responseId, continued, digests, holds } = turn;
    const session = this.#session.id;
    if (session === undefined) return;
    const response = tenant.response(responseId);
    const last = continued === undefined ? '' : tenant.response(continued);
    const before = this.#held.get(last);
    this.#held.delete(last);
    const entries = [entryOf(tenant, response), ...digests.map((digest) => tenant.context(digest))];
    // Remembered before the write is answered: another node can read the lease, and ask for the next turn, before this node has its answer.
    const held: HeldChain = { entries, holds, lease: this.#write(session, turn, { response, before, entries }) };
    this.#held.set(response, held);
    const [oldest] = this.#held.keys();
    if (this.#held.size > maxHeldChains && oldest !== undefined) this.#held.delete(oldest);
    const lease = await held.lease;
    if (lease === undefined && this.#held.get(response) === held) this.#held.delete(response);
  }

  async #write(
    session: string,
    { tenant, taken }: ChainTurn,
    { response, before, entries }: { response: string; before: HeldChain | undefined; entries: readonly string[] },
  ): Promise<ChainLease | undefined> {
    const own = await before?.lease;
    const { chain, fence: seen } = own ?? taken ?? { chain: randomBytes(9).toString('base64url'), fence: '' };
    const old = before?.entries ?? [];
    const shown = response.slice(0, shownLength);
    const write = randomBytes(4).toString('base64url');
    const fence = await this.#store.run(
      advanceScript,
      [leaseOf(tenant, chain), this.#session.keyOf(session), ...old, ...entries],
      [session, seen, write, shown, lifetimes.lease, `b${chain} ${response}`, old.length],
      tokenIn,
    );
    const refusal = refusals.get(fence);
    if (fence === undefined || refusal !== undefined) {
      this.#counters.count('leases', refusal ?? 'unanswered');
      return undefined;
    }
    this.#counters.count('leases', own !== undefined ? 'moved' : taken !== undefined ? 'taken_over' : 'begun');
    return { chain, fence };
  }
}

/** The refusals of the script, each under the name by which it is counted. */
const refusals: ReadonlyMap<string | undefined, CounterOutcomes['leases']> = new Map([
  ['0', 'refused'],
  ['-1', 'lapsed'],
]);

/** The key of the entry that leads from a response to its chain. */
export function entryOf({ prefix }: Tenant, response: string): string {
  return `${prefix}r${response}`;
}

function leaseOf({ prefix }: Tenant, chain: string): string {
  return `${prefix}l${chain}`;
}

function tokenIn(reply: unknown): string {
  if (typeof reply !== 'string' || !/^(?:-1|\d{1,16})$/.test(reply)) throw new MalformedReply(reply);
  return reply;
}
