import { randomBytes } from 'node:crypto';
import { lifetimes } from './keys.js';
import { MalformedReply } from './redis/redis-store.js';
import { scriptOf } from './redis/script.js';
import type { Keys } from './keys.js';
import type { RedisStore } from './redis/redis-store.js';
import type { ClusterCounters } from './counters.js';

export interface SessionOptions {
  store: RedisStore;
  keys: Keys;
  counters: ClusterCounters;
  /** The address at which other nodes reach this one; undefined where they do not. */
  address?: string | undefined;
  onHeartbeat: () => void;
}

/** The time between two heartbeats, in milliseconds: a session outlives the loss of two. */
const heartbeatMs = 2000;

/** The first wait for a connection, in milliseconds; each further one is twice as long. */
const firstWaitMs = 10;

/** Renews the entry of a session that has not lapsed. A node that was silent for too long begins a new session. */
const renewScript = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/**
 * This node as the others know it: an entry that lapses when it is not refreshed. What a node holds (chains that are bound to its sockets) is held in the
 * name of its session, and is free once the session has lapsed or has ended.
 *
 * away ──opened──▶ open ──heartbeat: renewed──▶ open
 *   ▲               └──heartbeat: lapsed──▶ away (the next session has another id)
 *   └───────────────────────┘
 */
export class Session {
  readonly #store: RedisStore;
  readonly #keys: Keys;
  readonly #address: string;
  readonly #onHeartbeat: () => void;
  readonly #counters: ClusterCounters;
  #id: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;
  #waitMs = firstWaitMs;

  constructor({ store, keys, counters, address = '', onHeartbeat }: SessionOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#address = address;
    this.#onHeartbeat = onHeartbeat;
    this.#counters = counters;
  }

  /** The id of the session; undefined while the other nodes do not know this one. */
  get id(): string | undefined {
    return this.#id;
  }

  keyOf(id: string): string {
    return this.#keys.node(id);
  }

  start(): void {
    void this.#heartbeat();
  }

  /** Ends the session, and with it every lease in its name. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const id = this.#id;
    this.#id = undefined;
    if (id !== undefined) void this.#store.command(['DEL', this.#keys.node(id)], String);
  }

  async #heartbeat(): Promise<void> {
    if (this.#id === undefined) await this.#open();
    else {
      const isRenewed = await this.#store.run(
        renewScript,
        [this.#keys.node(this.#id)],
        [this.#keys.signedAddress(this.#id, this.#address), lifetimes.session],
        isOne,
      );
      if (isRenewed === false) {
        this.#counters.count('sessions', 'lapsed');
        this.#id = undefined;
        this.#waitMs = firstWaitMs;
        await this.#open();
      }
    }
    if (this.#isEnded) return;
    this.#onHeartbeat();
    this.#waitMs = this.#id === undefined ? Math.min(heartbeatMs, 2 * this.#waitMs) : heartbeatMs;
    this.#timer = setTimeout(() => void this.#heartbeat(), this.#waitMs * (0.9 + Math.random() / 10));
    this.#timer.unref();
  }

  async #open(): Promise<void> {
    const id = randomBytes(6).toString('base64url');
    // No other node has this id, so a command that is executed twice makes one session.
    const args = [
      'SET',
      this.#keys.node(id),
      this.#keys.signedAddress(id, this.#address),
      'PX',
      String(lifetimes.session),
    ];
    const reply = await this.#store.command(args, String);
    if (reply !== 'OK') return;
    if (this.#isEnded) void this.#store.command(['DEL', this.#keys.node(id)], String);
    else {
      this.#counters.count('sessions', 'begun');
      this.#id = id;
    }
  }
}

function isOne(reply: unknown): boolean {
  if (reply !== 0 && reply !== 1) throw new MalformedReply(reply);
  return reply === 1;
}
