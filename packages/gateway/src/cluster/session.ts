import { randomBytes } from 'node:crypto';
import { lifetimes } from './keys.js';
import { NonsenseReply } from './redis/store.js';
import { scriptOf } from './redis/scripts.js';
import type { Keys } from './keys.js';
import type { Store } from './redis/store.js';
import type { Tally } from './tally.js';

export interface SessionOptions {
  store: Store;
  keys: Keys;
  tally: Tally;
  /** The address at which other nodes reach this one; undefined where they do not. */
  address?: string | undefined;
  onBeat: () => void;
}

/** The time between two signs of life, in milliseconds: two of them may be lost. */
const beatMs = 2000;

/** The first wait for a connection, in milliseconds; each further one is twice as long. */
const firstWaitMs = 10;

/** Renews the entry of a session that still stands. A node that was silent for too long begins a new session. */
const beat = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/**
 * This node as the others know it: an entry that lapses when it is not refreshed. What a node holds (chains that are bound to its sockets) is held in the
 * name of its session, and is free once the session has lapsed or has ended.
 *
 * away ──opened──▶ open ──beat: still there──▶ open
 *   ▲               └──beat: lapsed──▶ away (the next session has another id)
 *   └───────────────────────┘
 */
export class Session {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #address: string;
  readonly #onBeat: () => void;
  readonly #tally: Tally;
  #id: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;
  #waitMs = firstWaitMs;

  constructor({ store, keys, tally, address = '', onBeat }: SessionOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#address = address;
    this.#onBeat = onBeat;
    this.#tally = tally;
  }

  /** The id of the session; undefined while the other nodes do not know this one. */
  get id(): string | undefined {
    return this.#id;
  }

  keyOf(id: string): string {
    return this.#keys.node(id);
  }

  start(): void {
    void this.#beat();
  }

  /** Ends the session, and with it every lease in its name. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const id = this.#id;
    this.#id = undefined;
    if (id !== undefined) void this.#store.command(['DEL', this.#keys.node(id)], String);
  }

  async #beat(): Promise<void> {
    if (this.#id === undefined) await this.#open();
    else {
      const stands = await this.#store.run(
        beat,
        [this.#keys.node(this.#id)],
        [this.#keys.sealed(this.#id, this.#address), lifetimes.session],
        isOne,
      );
      if (stands === false) {
        this.#tally.count('sessions', 'lapsed');
        this.#id = undefined;
        this.#waitMs = firstWaitMs;
        await this.#open();
      }
    }
    if (this.#isEnded) return;
    this.#onBeat();
    this.#waitMs = this.#id === undefined ? Math.min(beatMs, 2 * this.#waitMs) : beatMs;
    this.#timer = setTimeout(() => void this.#beat(), this.#waitMs * (0.9 + Math.random() / 10));
    this.#timer.unref();
  }

  async #open(): Promise<void> {
    const id = randomBytes(6).toString('base64url');
    // No other node has this id, so a command that is executed twice makes one session.
    const args = ['SET', this.#keys.node(id), this.#keys.sealed(id, this.#address), 'PX', String(lifetimes.session)];
    const reply = await this.#store.command(args, String);
    if (reply !== 'OK') return;
    if (this.#isEnded) void this.#store.command(['DEL', this.#keys.node(id)], String);
    else {
      this.#tally.count('sessions', 'begun');
      this.#id = id;
    }
  }
}

function isOne(reply: unknown): boolean {
  if (reply !== 0 && reply !== 1) throw new NonsenseReply(reply);
  return reply === 1;
}
