import { LocalQuotas } from '../../relay/access/quotas.js';
import { lifetimes } from '../keys.js';
import { MalformedReply } from '../redis/redis-store.js';
import { scriptOf } from '../redis/script.js';
import type { Policy, Principal } from '../../upstream/principal.js';
import type { RemainingQuota, Quotas } from '../../relay/access/quotas.js';
import type { Keys } from '../keys.js';
import type { Session } from '../session.js';
import type { RedisStore } from '../redis/redis-store.js';

/**
 * Takes requests and tokens from the account of a principal, notes how many of its turns run on this node, and returns what is left. Requests and tokens
 * refill evenly, by the clock of Redis. Running turns are one number for each node, valid while the node's session is: a number written twice counts once,
 * and a node that was killed runs none.
 */
const account = scriptOf(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = tonumber(redis.call('HGET', KEYS[1], 'at') or now)
local function take(name, limit, amount)
  if limit == '' then return '' end
  local level = tonumber(redis.call('HGET', KEYS[1], name) or limit)
  level = math.min(tonumber(limit), level + math.max(0, now - at) * tonumber(limit) / 60000) - tonumber(amount)
  redis.call('HSET', KEYS[1], name, string.format('%.3f', level))
  return string.format('%.3f', level)
end
local requests = take('requests', ARGV[3], ARGV[4])
local tokens = take('tokens', ARGV[5], ARGV[6])
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now))
local others = 0
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local session = string.match(fields[index], '^node (.*)$')
  if session and session ~= ARGV[1] then
    if redis.call('EXISTS', ARGV[7] .. session) == 1 then others = others + tonumber(fields[index + 1])
    else redis.call('HDEL', KEYS[1], fields[index]) end
  end
end
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'node ' .. ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[8])
return { requests, tokens, others }`);

interface Pending {
  requests: number;
  tokens: number;
  /** A principal was refused, and its account is being read again. */
  isAsking: boolean;
}

/**
 * Limits across nodes. Each node decides at once, by its own turns and the last answer of Redis. So more turns may begin than the limit allows: as many as
 * the nodes begin within one round trip. While Redis is away, each node applies the whole limit by itself.
 */
export class SharedQuotas implements Quotas {
  readonly #local = new LocalQuotas();
  readonly #store: RedisStore;
  readonly #keys: Keys;
  readonly #session: Session;
  /** Requests and tokens that no answer of Redis includes yet. */
  readonly #pending = new Map<string, Pending>();

  constructor(store: RedisStore, keys: Keys, session: Session) {
    this.#store = store;
    this.#keys = keys;
    this.#session = session;
  }

  check(principal: Principal): void {
    try {
      this.#local.check(principal);
    } catch (error) {
      void this.#refresh(principal);
      throw error;
    }
  }

  begin(principal: Principal): (tokens: number) => void {
    this.check(principal);
    const end = this.#local.begin(principal);
    if (!isLimited(principal.policy)) return end;
    void this.#take(principal, { requests: 1, tokens: 0 });
    return (tokens) => {
      end(tokens);
      void this.#take(principal, { requests: 0, tokens });
    };
  }

  /** Reads the account of a principal again that is refused for what other nodes have used: its turns do not begin, so none of them would read it. */
  async #refresh(principal: Principal): Promise<void> {
    const pending = this.#pendingOf(principal.id);
    if (pending.isAsking) return;
    pending.isAsking = true;
    await this.#take(principal, { requests: 0, tokens: 0 });
    pending.isAsking = false;
  }

  async #take(principal: Principal, { requests, tokens }: { requests: number; tokens: number }): Promise<void> {
    const { id, policy } = principal;
    const pending = this.#pendingOf(id);
    pending.requests += requests;
    pending.tokens += tokens;
    const { requestsPerMinute = '', tokensPerMinute = '' } = policy ?? {};
    const args = [
      this.#session.id ?? '',
      this.#local.running(id),
      requestsPerMinute,
      requests,
      tokensPerMinute,
      tokens,
      this.#keys.node(''),
      lifetimes.account,
    ];
    const left = await this.#store.run(account, [this.#keys.account(id)], args, remainingIn);
    pending.requests -= requests;
    pending.tokens -= tokens;
    // The number of turns on other nodes is unknown.
    if (left === undefined)
      return this.#local.correct(id, { requests: undefined, tokens: undefined, othersRunning: 0 });
    this.#local.correct(id, {
      requests: left.requests === undefined ? undefined : left.requests - pending.requests,
      tokens: left.tokens === undefined ? undefined : left.tokens - pending.tokens,
      othersRunning: left.othersRunning,
    });
  }

  #pendingOf(id: string): Pending {
    const pending = this.#pending.get(id) ?? { requests: 0, tokens: 0, isAsking: false };
    this.#pending.set(id, pending);
    return pending;
  }
}

function isLimited(policy: Policy | undefined): boolean {
  const { concurrentTurns, requestsPerMinute, tokensPerMinute } = policy ?? {};
  return concurrentTurns !== undefined || requestsPerMinute !== undefined || tokensPerMinute !== undefined;
}

function remainingIn(reply: unknown): RemainingQuota {
  const [requests, tokens, others] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof others !== 'number') throw new MalformedReply(reply);
  return { requests: level(requests), tokens: level(tokens), othersRunning: others };
}

function level(said: unknown): number | undefined {
  if (said === '') return undefined;
  const value = Number(said);
  if (typeof said !== 'string' || !Number.isFinite(value)) throw new MalformedReply(said);
  return value;
}
