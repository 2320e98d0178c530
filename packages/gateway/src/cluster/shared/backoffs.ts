import { MalformedReply } from '../redis/redis-store.js';
import { scriptOf } from '../redis/script.js';
import type { Keys } from '../keys.js';
import type { RedisStore } from '../redis/redis-store.js';

/** The longest wait that is shared between nodes, in milliseconds. A longer one is cut to this. */
const maxBackoffMs = 60_000;

/** The most waits known at once, over all keys and models. */
const maxBackoffs = 1000;

/** Adds a wait, if one is given, and returns all that are still running, each with its remaining time by the clock of Redis. */
const exchangeScript = scriptOf(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], 'GT', now + tonumber(ARGV[2]), ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for index = 2, #found, 2 do found[index] = string.format('%.0f', tonumber(found[index]) - now) end
return found`);

/** Waits that the upstream has asked any node for (429 with retry-after): meanwhile no node sends it another turn of the same key and model. */
export class Backoffs {
  readonly #store: RedisStore;
  readonly #keys: Keys;
  /** When each wait ends, by this node's own clock, which never goes back. */
  #ends = new Map<string, number>();

  constructor(store: RedisStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  /** The remaining wait in milliseconds; 0 for none. */
  backoffMs(upstream: string, model: string): number {
    if (this.#ends.size === 0) return 0;
    const end = this.#ends.get(this.#nameOf(upstream, model)) ?? 0;
    return Math.max(0, end - performance.now());
  }

  add(upstream: string, model: string, ms: number): void {
    const name = this.#nameOf(upstream, model);
    const bounded = Math.min(ms, maxBackoffMs);
    this.#ends.set(name, performance.now() + bounded);
    void this.#exchange(name, bounded);
  }

  /** Reads the waits that the upstream has asked other nodes for. Called at each heartbeat of the session. */
  async refresh(): Promise<void> {
    await this.#exchange('', 0);
  }

  async #exchange(name: string, ms: number): Promise<void> {
    const args = [name, Math.ceil(ms), 2 * maxBackoffMs, maxBackoffs];
    const found = await this.#store.run(exchangeScript, [this.#keys.backoffs], args, pairsIn);
    if (found === undefined) return;
    const now = performance.now();
    this.#ends = new Map(found.map(([other, rest]) => [other, now + rest]));
  }

  #nameOf(upstream: string, model: string): string {
    return this.#keys.mac('backoff', JSON.stringify([upstream, model]));
  }
}

function pairsIn(reply: unknown): [string, number][] {
  if (!Array.isArray(reply) || reply.length % 2 !== 0 || !reply.every((one) => typeof one === 'string'))
    throw new MalformedReply(reply);
  const texts: readonly string[] = reply;
  return Array.from({ length: texts.length / 2 }, (_, index) => [
    texts[2 * index] ?? '',
    Math.min(maxBackoffMs, Number(texts[2 * index + 1])),
  ]);
}
