import { randomBytes } from 'node:crypto';
import { lifetimes } from './keys.js';
import { NonsenseReply } from './redis/store.js';
import { scriptOf } from './redis/scripts.js';
import type { Tenant } from './keys.js';
import type { Session } from './session.js';
import type { Store } from './redis/store.js';
import type { Counts, Tally } from './tally.js';

/** The last response of a chain that lives on a socket of this node. */
interface Bound {
  /** As it stands since this response; undefined where the write was refused, or its answer is lost: what follows is then a chain of its own. */
  readonly lease: Promise<SeenLease | undefined>;
  /** The entries that lead to it. */
  readonly entries: readonly string[];
  /** It can be continued here and now. */
  readonly holds: () => boolean;
}

/** The end of a turn on a chain that is bound to a socket of this node. */
export interface BoundTurn {
  tenant: Tenant;
  responseId: string;
  /** The response that it has continued; undefined for the first one of a chain. */
  continued: string | undefined;
  /** A chain of another node, which this turn has taken over. */
  taken: SeenLease | undefined;
  /** Digests of the context at its end. */
  digests: readonly string[];
  holds: () => boolean;
}

/** A lease as it stood when it was looked up. */
export interface SeenLease {
  chain: string;
  fence: string;
}

/** So much of what stands for a response tells whether it is the last one of its chain. */
const shownLength = 11;

/** Chains of this node that are remembered; the oldest are forgotten first, which costs a full request. */
const mostBound = 50_000;

/**
 * Moves a chain on to its next response, in one step. Whoever writes names the token that it has last seen: none for a new chain. Another one stands where
 * another node has the chain, or where the lease has lapsed meanwhile, and the write is refused ("0"); so it is in the name of a session that has lapsed
 * ("-1"). Each write takes a new token, larger than any before: the clock of Redis, and more than what stands. Executed twice, it is one write.
 */
const move = scriptOf(`
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
 * Which node holds a chain that is bound to a socket: leases in Redis with a fencing token. A lease counts while the session of its node does; whoever takes
 * a chain over gets a larger token, and what its former owner writes afterwards is refused.
 */
export class Leases {
  readonly #store: Store;
  readonly #session: Session;
  readonly #tally: Tally;
  /** By what stands for the last response of each chain. */
  readonly #bound = new Map<string, Bound>();

  constructor(store: Store, session: Session, tally: Tally) {
    this.#store = store;
    this.#session = session;
    this.#tally = tally;
  }

  /** A response that can be continued here, by what stands for it. */
  holds(response: string): boolean {
    return this.#bound.get(response)?.holds() === true;
  }

  /** Never rejects, and no turn waits for it. */
  async moved(turn: BoundTurn): Promise<void> {
    const { tenant, responseId, continued, digests, holds } = turn;
    const session = this.#session.id;
    if (session === undefined) return;
    const response = tenant.response(responseId);
    const last = continued === undefined ? '' : tenant.response(continued);
    const before = this.#bound.get(last);
    this.#bound.delete(last);
    const entries = [entryOf(tenant, response), ...digests.map((digest) => tenant.context(digest))];
    // Another node can ask for the turn that follows before this one has read that its write counts.
    const bound: Bound = { entries, holds, lease: this.#write(session, turn, { response, before, entries }) };
    this.#bound.set(response, bound);
    const [oldest] = this.#bound.keys();
    if (this.#bound.size > mostBound && oldest !== undefined) this.#bound.delete(oldest);
    const lease = await bound.lease;
    if (lease === undefined && this.#bound.get(response) === bound) this.#bound.delete(response);
  }

  async #write(
    session: string,
    { tenant, taken }: BoundTurn,
    { response, before, entries }: { response: string; before: Bound | undefined; entries: readonly string[] },
  ): Promise<SeenLease | undefined> {
    const own = await before?.lease;
    const { chain, fence: seen } = own ?? taken ?? { chain: randomBytes(9).toString('base64url'), fence: '' };
    const old = before?.entries ?? [];
    const shown = response.slice(0, shownLength);
    const write = randomBytes(4).toString('base64url');
    const fence = await this.#store.run(
      move,
      [leaseOf(tenant, chain), this.#session.keyOf(session), ...old, ...entries],
      [session, seen, write, shown, lifetimes.lease, `b${chain} ${response}`, old.length],
      token,
    );
    const refusal = refusals.get(fence);
    if (fence === undefined || refusal !== undefined) {
      this.#tally.count('leases', refusal ?? 'unanswered');
      return undefined;
    }
    this.#tally.count('leases', own !== undefined ? 'moved' : taken !== undefined ? 'taken_over' : 'begun');
    return { chain, fence };
  }
}

/** What `move` answers to a write that it refuses. */
const refusals: ReadonlyMap<string | undefined, Counts['leases']> = new Map([
  ['0', 'refused'],
  ['-1', 'lapsed'],
]);

/** Leads from a response to its chain. */
export function entryOf({ prefix }: Tenant, response: string): string {
  return `${prefix}r${response}`;
}

function leaseOf({ prefix }: Tenant, chain: string): string {
  return `${prefix}l${chain}`;
}

function token(reply: unknown): string {
  if (typeof reply !== 'string' || !/^(?:-1|\d{1,16})$/.test(reply)) throw new NonsenseReply(reply);
  return reply;
}
