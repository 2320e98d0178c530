import { NotConnected } from './connection.js';
import { HeldBack } from './held-back.js';
import type { RedisConnection } from './connection.js';
import type { CounterOutcomes, ClusterCounters } from '../counters.js';

/** Thrown for an answer of the wrong shape: another program writes to the same keys, or the server is no Redis. */
export class MalformedReply extends Error {
  constructor(reply: unknown) {
    super(`its answer was ${JSON.stringify(reply ?? null).slice(0, 100)}`);
    this.name = 'MalformedReply';
  }
}

/** A script that Redis runs as one step. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export interface RedisStoreOptions {
  /** Begins to connect. Called again for a connection that has become silent. */
  connect: () => Promise<RedisConnection>;
  /** Called with one sentence when Redis is away, back, or full. */
  onWarning: (message: string) => void;
  /** The wait for an answer to a command, in milliseconds. */
  deadlineMs: number;
  counters: ClusterCounters;
}

/**
 * closed ──three misses──▶ open ──probe answered──▶ closed
 *    ▲                      └──probe missed──▶ open, for twice as long
 *    └──an answer: no miss any more
 */
type Breaker = { name: 'closed'; misses: number } | { name: 'open'; since: number; waitMs: number };

/** When a command is sent: `now`; or `soon`, for a write that nobody waits for: together with the next command, see `HeldBack`. */
export type Timing = 'now' | 'soon';

/** The number of misses in a row that opens the breaker. */
const maxMisses = 3;

/** The first wait between two probes, in milliseconds; each further one is twice as long. */
const firstProbeMs = 250;
const maxProbeMs = 5000;

/** The time, in milliseconds, in which a connection that is being opened for the first time does not count as a miss. */
const startMs = 5000;

/** The wait for the answer to a probe, in milliseconds. It may be long, since no turn waits for a probe. */
const probeDeadlineMs = 500;

/**
 * Redis as a turn may use it: no command takes longer than its deadline, and none is sent while the breaker is open. A missing answer is `undefined`, never
 * an exception: the caller goes on with what this node knows.
 */
export class RedisStore {
  readonly #options: RedisStoreOptions;
  #connection: RedisConnection | undefined;
  #breaker: Breaker = { name: 'closed', misses: 0 };
  #probe: NodeJS.Timeout | undefined;
  /** The refusals that were told; see `refusalOf`. */
  readonly #told = new Set<string>();
  #isClosed = false;
  /** When the first connection began to open; undefined while the library is being loaded. */
  #openingSince: number | undefined;
  #hasAnswered = false;
  readonly #heldBack = new HeldBack();

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** True while the breaker is open: no command is sent. */
  get isUnavailable(): boolean {
    return this.#breaker.name === 'open' || this.#isClosed;
  }

  /**
   * Sends a command.
   *
   * @param read throws `MalformedReply` for an answer of the wrong shape.
   * @returns undefined when no answer came in time.
   */
  command<Value>(
    args: readonly string[],
    read: (reply: unknown) => Value,
    timing: Timing = 'now',
  ): Promise<Value | undefined> {
    return this.#send((connection) => connection.command(args), read, timing);
  }

  /** Runs a script, with the bounds of `command`. */
  run<Value>(
    { text, sha1 }: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    read: (reply: unknown) => Value,
  ): Promise<Value | undefined> {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    return this.#send(
      (connection) =>
        connection.command(['EVALSHA', sha1, ...rest]).catch((error: unknown) => {
          // A server that was restarted has forgotten its scripts.
          if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
          return connection.command(['EVAL', text, ...rest]);
        }),
      read,
      'now',
    );
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    this.#heldBack.release();
    this.#connection?.destroy();
  }

  #send<Value>(
    send: (connection: RedisConnection) => Promise<unknown>,
    read: (reply: unknown) => Value,
    timing: Timing,
  ): Promise<Value | undefined> {
    if (timing === 'soon' && !this.isUnavailable && this.#heldBack.canHold)
      return new Promise((resolve) => this.#heldBack.add(() => resolve(this.#sendNow(send, read))));
    this.#heldBack.release();
    return this.#sendNow(send, read);
  }

  async #sendNow<Value>(
    send: (connection: RedisConnection) => Promise<unknown>,
    read: (reply: unknown) => Value,
  ): Promise<Value | undefined> {
    const { counters, deadlineMs } = this.#options;
    if (this.isUnavailable) {
      counters.count('commands', 'not_asked');
      return undefined;
    }
    const from = performance.now();
    try {
      const connection = this.#connection;
      if (connection === undefined) throw new NotConnected();
      const value = read(await withDeadline(send(connection), deadlineMs));
      counters.count('commands', 'answered');
      counters.repliedIn(performance.now() - from);
      this.#noteAnswer();
      return value;
    } catch (error) {
      if (this.#isClosed) return undefined;
      counters.count('commands', outcomeOf(error));
      const refusal = refusalOf(messageOf(error));
      if (refusal === undefined) this.#noteMiss(error);
      else this.#noteRefusal(refusal);
      return undefined;
    }
  }

  /** True until the first connection is open, or could not be opened. */
  get #isStarting(): boolean {
    if (this.#hasAnswered || this.#connection?.problem !== undefined) return false;
    return this.#openingSince === undefined || performance.now() - this.#openingSince < startMs;
  }

  #noteAnswer(): void {
    this.#hasAnswered = true;
    // A late answer does not close the breaker: only the answer to a probe does.
    if (this.#breaker.name === 'closed') this.#breaker.misses = 0;
  }

  #noteMiss(error: unknown): void {
    const breaker = this.#breaker;
    if (breaker.name === 'open') return;
    if (error instanceof NotConnected && this.#isStarting) return;
    // A replica answers reads and refuses writes until it is made the master: no command goes to it meanwhile.
    breaker.misses = isReplica(messageOf(error)) ? maxMisses : breaker.misses + 1;
    if (breaker.misses < maxMisses) return;
    this.#options.counters.count('breaker', 'opened');
    this.#breaker = { name: 'open', since: performance.now(), waitMs: firstProbeMs };
    const reason = (error instanceof ReplyTimeout ? undefined : this.#connection?.problem) ?? messageOf(error);
    this.#options.onWarning(`turnwire: Redis is away (${reason}): turns go on with what this node knows`);
    this.#probeLater(firstProbeMs);
  }

  /** Notes that Redis refuses a command, and still answers others. */
  #noteRefusal({ code, sentence }: CommandRefusal): void {
    this.#noteAnswer();
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.#options.onWarning(`turnwire: ${sentence}`);
  }

  #probeLater(waitMs: number): void {
    this.#probe = setTimeout(() => void this.#probeNow(waitMs), waitMs * (0.75 + Math.random() / 4));
    this.#probe.unref();
  }

  /** Probes with a write: a replica, and a server without permissions, would answer a read. */
  async #probeNow(waitMs: number): Promise<void> {
    const breaker = this.#breaker;
    if (this.#isClosed || breaker.name === 'closed') return;
    try {
      if (this.#connection === undefined) throw new NotConnected();
      const answer = this.#connection.command(['SET', 't1:probe', '1', 'PX', '1000']);
      // The breaker stays open for an answer that would be late for a turn.
      const reply = await withDeadline(answer, this.#options.deadlineMs).catch((error: unknown) => {
        if (error instanceof ReplyTimeout)
          return withDeadline(answer, probeDeadlineMs).then(() => Promise.reject(new LateReply()));
        throw error;
      });
      if (reply !== 'OK') throw new MalformedReply(reply);
    } catch (error) {
      if (this.#isClosed) return;
      if (refusalOf(messageOf(error)) === undefined) {
        // A connection on which no answer comes may be dead without an error.
        if (error instanceof ReplyTimeout) await this.#connect();
        breaker.waitMs = Math.min(maxProbeMs, 2 * waitMs);
        return this.#probeLater(breaker.waitMs);
      }
    }
    this.#options.counters.count('breaker', 'closed');
    this.#breaker = { name: 'closed', misses: 0 };
    this.#told.clear();
    const seconds = Math.max(1, Math.round((performance.now() - breaker.since) / 1000));
    this.#options.onWarning(`turnwire: Redis is back, after ${seconds} s`);
  }

  async #connect(): Promise<void> {
    this.#connection?.destroy();
    this.#connection = undefined;
    const connection = await this.#options.connect();
    this.#openingSince ??= performance.now();
    if (this.#isClosed) connection.destroy();
    else this.#connection = connection;
  }
}

class ReplyTimeout extends Error {}

/** Thrown for the answer to a probe that came after the deadline of a command. */
class LateReply extends Error {}

/** Rejects when the answer is late. Time in which this program's own event loop stood still does not count: an answer that came meanwhile is read first. */
function withDeadline(answer: Promise<unknown>, deadlineMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => setImmediate(() => setImmediate(() => reject(new ReplyTimeout(`no answer within ${deadlineMs} ms`)))),
      deadlineMs,
    );
    void answer
      .finally(() => clearTimeout(timer))
      .then(resolve)
      .catch(reject);
  });
}

function outcomeOf(error: unknown): CounterOutcomes['commands'] {
  if (error instanceof ReplyTimeout) return 'late';
  if (error instanceof MalformedReply) return 'nonsense';
  return refusalOf(messageOf(error))?.code === 'OOM' ? 'full' : 'failed';
}

function isReplica(message: string): boolean {
  return /\bREADONLY\b/.test(message);
}

/** The answer of a server that refuses a command and serves others. */
interface CommandRefusal {
  code: string;
  sentence: string;
}

/** undefined for any other error. */
function refusalOf(message: string): CommandRefusal | undefined {
  if (/\bOOM\b/.test(message))
    return {
      code: 'OOM',
      sentence:
        'Redis is full: what this node learns is not shared (give it more maxmemory, or the policy allkeys-lru)',
    };
  const [, code] = /^(MISCONF|NOPERM|MOVED|ASK|CROSSSLOT)\b/.exec(message) ?? /\b(ACL failure)\b/.exec(message) ?? [];
  return code === undefined
    ? undefined
    : { code, sentence: `Redis refuses commands of this gateway, so that what they tell is not shared: ${message}` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
