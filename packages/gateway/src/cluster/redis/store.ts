import type { RedisConnection } from './connection.js';
import type { Counts, Tally } from '../tally.js';

/** Something that Redis may not say: another program writes to the same keys, or this is no Redis. */
export class NonsenseReply extends Error {
  constructor(reply: unknown) {
    super(`it has answered ${JSON.stringify(reply ?? null).slice(0, 100)}`);
    this.name = 'NonsenseReply';
  }
}

/** A script that Redis runs as one step. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export interface StoreOptions {
  /** Begins to connect. Called anew where a connection has become silent. */
  connect: () => Promise<RedisConnection>;
  /** Told in one sentence when Redis is away, when it is back, and when it is full. */
  onWarning: (message: string) => void;
  /** Until a command is given up; in milliseconds. */
  deadlineMs: number;
  tally: Tally;
}

/**
 * closed ──three misses──▶ open ──probe answered──▶ closed
 *    ▲                      └──probe missed──▶ open, for twice as long
 *    └──an answer: no miss any more
 */
type Breaker = { name: 'closed'; misses: number } | { name: 'open'; since: number; waitMs: number };

/** Misses in a row after which nothing is asked any more. */
const mostMisses = 3;

/** Between two probes; in milliseconds. Doubles. */
const firstProbeMs = 250;
const longestProbeMs = 5000;

/** At the start there is no connection yet, which is no miss for so long; in milliseconds. */
const startMs = 1000;

/** A probe is not in the way of any turn. */
const probeDeadlineMs = 500;

/**
 * Redis as a turn may use it: no command takes longer than its deadline, and while Redis is away none is sent. An answer that is missing is `undefined`,
 * never an exception: whoever asks goes on with what this node knows.
 */
export class Store {
  readonly #options: StoreOptions;
  #connection: RedisConnection | undefined;
  #breaker: Breaker = { name: 'closed', misses: 0 };
  #probe: NodeJS.Timeout | undefined;
  #isFull = false;
  #isClosed = false;
  readonly #startedAt = performance.now();
  #hasAnswered = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** Nothing is asked now. */
  get isAway(): boolean {
    return this.#breaker.name === 'open' || this.#isClosed;
  }

  /**
   * @param read throws `NonsenseReply` for what cannot be an answer.
   * @returns undefined where no answer has come in time.
   */
  async command<Value>(args: readonly string[], read: (reply: unknown) => Value): Promise<Value | undefined> {
    return this.#attempt((connection) => connection.command(args), read);
  }

  /** As `command`, of a script. */
  async run<Value>(
    { text, sha1 }: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    read: (reply: unknown) => Value,
  ): Promise<Value | undefined> {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    return this.#attempt(
      (connection) =>
        connection.command(['EVALSHA', sha1, ...rest]).catch((error: unknown) => {
          // A server that was started anew has no scripts.
          if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
          return connection.command(['EVAL', text, ...rest]);
        }),
      read,
    );
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    this.#connection?.destroy();
  }

  async #attempt<Value>(
    send: (connection: RedisConnection) => Promise<unknown>,
    read: (reply: unknown) => Value,
  ): Promise<Value | undefined> {
    const { tally, deadlineMs } = this.#options;
    if (this.isAway) {
      tally.count('commands', 'not_asked');
      return undefined;
    }
    const from = performance.now();
    try {
      const connection = this.#connection;
      if (connection === undefined) throw new Error('there is no connection');
      const value = read(await inTime(send(connection), deadlineMs));
      tally.count('commands', 'answered');
      tally.answeredIn(performance.now() - from);
      this.#answered();
      return value;
    } catch (error) {
      if (this.#isClosed) return undefined;
      tally.count('commands', outcomeOf(error));
      if (isFull(error)) this.#full();
      else this.#missed(messageOf(error));
      return undefined;
    }
  }

  #answered(): void {
    this.#hasAnswered = true;
    // A late answer does not close what a probe is to close.
    if (this.#breaker.name === 'closed') this.#breaker.misses = 0;
  }

  #missed(why: string): void {
    const breaker = this.#breaker;
    if (breaker.name === 'open') return;
    if (!this.#hasAnswered && performance.now() - this.#startedAt < startMs) return;
    breaker.misses += 1;
    if (breaker.misses < mostMisses) return;
    this.#options.tally.count('breaker', 'opened');
    this.#breaker = { name: 'open', since: performance.now(), waitMs: firstProbeMs };
    this.#options.onWarning(`turnwire: Redis is away (${why}): turns go on with what this node knows`);
    this.#probeLater(firstProbeMs);
  }

  /** What it holds can still be read. */
  #full(): void {
    this.#answered();
    if (this.#isFull) return;
    this.#isFull = true;
    this.#options.onWarning(
      'turnwire: Redis is full: what this node learns is not shared (give it more maxmemory, or the policy allkeys-lru)',
    );
  }

  #probeLater(waitMs: number): void {
    this.#probe = setTimeout(() => void this.#ask(waitMs), waitMs * (0.75 + Math.random() / 4));
    this.#probe.unref();
  }

  /** A write, since a replica and a server without permissions answer what only reads. */
  async #ask(waitMs: number): Promise<void> {
    const breaker = this.#breaker;
    if (this.#isClosed || breaker.name === 'closed') return;
    try {
      if (this.#connection === undefined) throw new Error('there is no connection');
      const answer = this.#connection.command(['SET', 't1:probe', '1', 'PX', '1000']);
      const reply = await inTime(answer, probeDeadlineMs);
      if (reply !== 'OK') throw new NonsenseReply(reply);
    } catch (error) {
      if (this.#isClosed) return;
      if (!isFull(error)) {
        // A connection that nothing comes over may be dead without anybody having said so.
        if (error instanceof Late) await this.#connect();
        breaker.waitMs = Math.min(longestProbeMs, 2 * waitMs);
        return this.#probeLater(breaker.waitMs);
      }
    }
    this.#options.tally.count('breaker', 'closed');
    this.#breaker = { name: 'closed', misses: 0 };
    this.#isFull = false;
    const seconds = Math.max(1, Math.round((performance.now() - breaker.since) / 1000));
    this.#options.onWarning(`turnwire: Redis is back, after ${seconds} s`);
  }

  async #connect(): Promise<void> {
    this.#connection?.destroy();
    this.#connection = undefined;
    const connection = await this.#options.connect();
    if (this.#isClosed) connection.destroy();
    else this.#connection = connection;
  }
}

class Late extends Error {}

/** Time in which this program's own event loop stood still does not count: an answer that has come meanwhile is read first. */
function inTime(answer: Promise<unknown>, deadlineMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => setImmediate(() => setImmediate(() => reject(new Late(`no answer within ${deadlineMs} ms`)))),
      deadlineMs,
    );
    void answer
      .finally(() => clearTimeout(timer))
      .then(resolve)
      .catch(reject);
  });
}

function outcomeOf(error: unknown): Counts['commands'] {
  if (error instanceof Late) return 'late';
  if (error instanceof NonsenseReply) return 'nonsense';
  return isFull(error) ? 'full' : 'failed';
}

function isFull(error: unknown): boolean {
  return /^(?:OOM|MISCONF)\b/.test(messageOf(error)) || /\bOOM command not allowed\b/.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
