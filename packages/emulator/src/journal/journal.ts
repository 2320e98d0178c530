import { EvictionQueue } from '../base/eviction-queue.js';
import { clearTimeout, setTimeout } from '../base/timers.js';
import type { Context } from '../memory/context.js';
import { billFor, type Bill } from './bill.js';
import type { JournalTurn, Outcome, TurnParent } from './journal-turn.js';
import { redactedPath, withoutCredential } from './redacted.js';
import { isRecord, type Item, type ResponseObject, type Usage } from '../wire/wire.js';

/** One TCP connection. */
export interface JournalConnection {
  readonly number: number;
  readonly kind: 'http' | 'websocket';
  /** When the connection was accepted, in milliseconds since 1970. */
  readonly opened: number;
  /** The headers of its first request or of its upgrade. Credentials are replaced by `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly turns: number;
  /** How the connection was closed: `code` and `reason` are those of a WebSocket. Undefined while the connection is open. */
  readonly closed?: { readonly code?: number; readonly reason?: string };
}

/** One HTTP request or upgrade. */
export interface JournalRequest {
  readonly connection: number;
  readonly method: string;
  /** The path with its query. Credentials in the query are replaced by `[redacted]`. */
  readonly path: string;
  /** The status of the answer: 101 for a WebSocket that was opened, 0 if the client left before an answer. */
  readonly status: number;
}

export interface JournalLimits {
  readonly journalEntries: number;
  readonly journalBytes: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A turn and its size: the bytes that were received and answered, and a reference to each item of its transcript. */
interface TurnRecord {
  readonly turn: Writable<Omit<JournalTurn, 'transcript'>>;
  context?: Context;
  bytes: number;
}

/** The size of an item in a transcript. The item itself is counted in the turn that brought or made it. */
const referenceBytes = 8;

/** The journal's entry of a turn that runs. */
export interface OpenTurn {
  readonly number: number;
  setContext(context: Context): void;
  setParent(id: string, from: TurnParent['from']): void;
  addFault(fault: string): void;
  /** Ends the turn. `outputBytes` is the size of the response's output as JSON. */
  end(response: ResponseObject | undefined, outcome: Outcome, outputBytes?: number): void;
  refuse(status: number, code: string | null): void;
  abort(): void;
}

/** The journal's entry of an open connection. */
export interface OpenConnection {
  readonly number: number;
  setHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): void;
  markWebSocket(): void;
  close(code?: number, reason?: string): void;
}

/**
 * All that the emulator received, for assertions. Each of the three lists keeps its newest entries, up to `limits.journalEntries`; the turns
 * are also limited by `limits.journalBytes`. Numbers are never used again, so a gap shows that entries were dropped.
 */
export class Journal {
  readonly #limits: JournalLimits;
  /** The turns in order of arrival. */
  readonly #turns = new Set<TurnRecord>();
  readonly #oldestTurn = new EvictionQueue(this.#turns);
  #connections = new Map<number, Writable<JournalConnection>>();
  /** The requests in order of arrival. */
  readonly #requests = new Set<JournalRequest>();
  readonly #oldestRequest = new EvictionQueue(this.#requests);
  #bytes = 0;
  #lastTurn = 0;
  #lastConnection = 0;

  readonly #log: ((line: string) => void) | undefined;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** `log` is called with a line for each request and for each end of a turn. */
  constructor(limits: JournalLimits, log?: (line: string) => void) {
    this.#limits = limits;
    this.#log = log;
  }

  turns(): readonly JournalTurn[] {
    return Array.from(this.#turns, snapshot);
  }

  connections(): readonly JournalConnection[] {
    return Array.from(this.#connections.values(), (connection) => ({ ...connection }));
  }

  requests(): readonly JournalRequest[] {
    return [...this.#requests];
  }

  /** The bill of all turns in the journal, running ones included. */
  bill(): Bill {
    return billFor(Array.from(this.#turns, ({ turn }) => turn));
  }

  /**
   * Resolves when no turn runs.
   *
   * @internal
   * @throws Error after `timeoutMs` milliseconds, with the numbers of the turns that run
   */
  async settled(timeoutMs: number): Promise<void> {
    // The error is made after the wait and not in the timer, so that its stack leads to the test that waits.
    if (this.#running === 0 || (await this.#settles(timeoutMs))) return;
    const numbers = Array.from(this.#turns, ({ turn }) => turn)
      .filter(({ outcome }) => outcome === 'running')
      .map(({ number }) => number);
    const which = numbers.length === 0 ? `${this.#running} turns` : `the turns ${numbers.join(', ')}`;
    throw new Error(`After ${timeoutMs} ms ${which} still run; wait longer, or end them.`);
  }

  /** Resolves with true when no turn runs, and with false when the time has passed. */
  #settles(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isSettled: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(settled);
        resolve(isSettled);
      };
      const settled = () => end(true);
      const timer = setTimeout(end, timeoutMs, false);
      this.#waiting.add(settled);
    });
  }

  #ended(turn: TurnRecord['turn']): void {
    this.#log?.(lineOf(turn));
    this.#running -= 1;
    if (this.#running === 0) for (const settled of this.#waiting) settled();
  }

  /** Forgets all entries, those of open connections and running turns included. Numbers go on. */
  clear(): void {
    this.#turns.clear();
    this.#connections.clear();
    this.#requests.clear();
    this.#bytes = 0;
  }

  /** @internal */
  openTurn(received: Pick<JournalTurn, 'transport' | 'connection' | 'request' | 'bytes'>): OpenTurn {
    const number = (this.#lastTurn += 1);
    const { request } = received;
    const fields = isRecord(request) ? request : {};
    const continues = isGiven(fields['previous_response_id']) || isGiven(fields['conversation']);
    const lane = received.transport === 'websocket' ? fields['stream_id'] : undefined;
    const turn: TurnRecord['turn'] = {
      number,
      ...received,
      ...(typeof lane === 'string' ? { lane } : {}),
      plan: continues ? 'delta' : 'full',
      outcome: 'running',
      faults: [],
      output: [],
    };
    const record: TurnRecord = { turn, bytes: 0 };
    this.#running += 1;
    // Only the first end of a turn counts.
    const end = (outcome: Exclude<Outcome, 'running'>, how: Partial<Pick<JournalTurn, 'status' | 'code'>> = {}) => {
      if (turn.outcome !== 'running') return;
      Object.assign(turn, { outcome, ...how });
      this.#ended(turn);
    };
    this.#turns.add(record);
    this.#charge(record, turn.bytes);
    const connection = this.#connections.get(received.connection);
    if (connection !== undefined) connection.turns += 1;
    return {
      number,
      setContext: (context) => {
        record.context = context;
        this.#charge(record, context.length * referenceBytes);
      },
      setParent: (id, from) => void (turn.parent = { id, from }),
      addFault: (fault) => void (turn.faults = [...turn.faults, fault]),
      end: (response, outcome, outputBytes = Buffer.byteLength(JSON.stringify(response?.output ?? []))) => {
        if (outcome !== 'running') end(outcome);
        if (response === undefined) return;
        turn.responseId = response.id;
        turn.output = response.output;
        this.#charge(record, outputBytes);
        const { usage } = response;
        if (hasTokenCounts(usage)) turn.usage = usage;
      },
      refuse: (status, code) => {
        if (turn.outcome === 'running') end('refused', { status, code });
        // A fault may end a turn with an error right before its last event, after its end was noted.
        else Object.assign(turn, { outcome: 'refused', status, code });
      },
      // For a client that leaves after the terminal event this does nothing.
      abort: () => end('aborted'),
    };
  }

  /** Adds to the size of a turn, and drops the oldest turns beyond the limits. A turn that was dropped already is not counted. */
  #charge(record: TurnRecord, bytes: number): void {
    if (!this.#turns.has(record)) return;
    record.bytes += bytes;
    this.#bytes += bytes;
    const { journalEntries, journalBytes } = this.#limits;
    while (this.#turns.size > 1 && (this.#turns.size > journalEntries || this.#bytes > journalBytes)) {
      const oldest = this.#oldestTurn.next();
      if (oldest === undefined) return;
      this.#turns.delete(oldest);
      this.#bytes -= oldest.bytes;
    }
  }

  /** @internal */
  openConnection(): OpenConnection {
    const number = (this.#lastConnection += 1);
    const connection: Writable<JournalConnection> = { number, kind: 'http', opened: Date.now(), headers: {}, turns: 0 };
    this.#connections.set(number, connection);
    for (const oldest of this.#connections.keys()) {
      if (this.#connections.size <= this.#limits.journalEntries) break;
      this.#connections.delete(oldest);
    }
    return {
      number,
      setHeaders: (headers) => {
        if (Object.keys(connection.headers).length === 0) connection.headers = redactedHeaders(headers);
      },
      markWebSocket: () => void (connection.kind = 'websocket'),
      close: (code, reason) => {
        // The TCP connection of a WebSocket closes first, without a code; the WebSocket then reports its code.
        if (code === undefined && connection.kind === 'websocket') return;
        connection.closed ??= {
          ...(code === undefined ? {} : { code }),
          ...(reason === undefined ? {} : { reason }),
        };
      },
    };
  }

  /** @internal */
  request(received: JournalRequest): void {
    const path = redactedPath(received.path);
    const request = { ...received, path };
    const { connection, method, status } = request;
    this.#log?.(`connection ${connection} ${method} ${path} ${status === 0 ? 'left' : status}`);
    this.#requests.add(request);
    const oldest = this.#requests.size > this.#limits.journalEntries ? this.#oldestRequest.next() : undefined;
    if (oldest !== undefined) this.#requests.delete(oldest);
  }
}

function snapshot({ turn, context }: TurnRecord): JournalTurn {
  let items: readonly Item[] | undefined;
  return {
    ...turn,
    get transcript() {
      return (items ??= context?.items() ?? []);
    },
  };
}

function lineOf({ number, transport, plan, outcome, status, code }: TurnRecord['turn']): string {
  const error = [status, code].filter((each) => each !== undefined && each !== null).join(' ');
  return `turn ${number} ${transport} ${plan} ${outcome}${error === '' ? '' : ` (${error})`}`;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function redactedHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    plain[name] = withoutCredential(name, String(value));
  }
  return plain;
}

function hasTokenCounts(value: unknown): value is Usage {
  return typeof value === 'object' && value !== null && 'input_tokens' in value;
}
