import { systemClock } from '../clock.js';
import { createNetwork } from '../network/network.js';
import { handshakeOf } from '../network/handshake.js';
import { checkTransport, checkTurnOptions, resolveOptions } from '../settings.js';
import { Pool } from '../pool/pool.js';
import { TurnwireError } from '../protocol/errors.js';
import { limitsOf } from '../protocol/limits.js';
import { SseTransport } from '../transport/sse.js';
import { WebSocketTransport } from '../transport/websocket.js';
import { TurnRequest } from './request.js';
import { Turn } from './turn.js';
import type { Clock } from '../clock.js';
import type { Network } from '../network/network.js';
import type { ClientOptions, TransportChoice } from '../options.js';
import type { Settings } from '../settings.js';
import type { TurnParams } from '../protocol/request.js';
import type { Transport } from '../transport/transport.js';
import type { Route, TurnContext } from './turn.js';

export interface TurnOptions {
  /** Aborts the turn: its iteration and `response()` then fail with `aborted`. */
  signal?: AbortSignal | undefined;
  /** For this turn alone. @default the client's */
  transport?: TransportChoice | undefined;
}

/** Counts of a client's WebSocket connections. */
export interface ClientStats {
  /** Since the client was created, also those that failed. */
  dialled: number;
  /** Open now. */
  connections: number;
  /** Of these, carrying a turn. */
  busy: number;
}

/**
 * A client of one endpoint with one identity: its turns, and the connections they share. Makes no connection until the first turn.
 *
 * Idle, it does not keep the process alive; a running turn does. So `close()` is for servers and tests, which go on without it.
 *
 * @throws TurnwireError `invalid_option` or `missing_api_key`, in one sentence.
 */
export function createClient(options: ClientOptions = {}): Client {
  return new Client(resolveOptions(options, process.env), systemClock);
}

export class Client implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #pool: Pool;
  readonly #transports: Record<'websocket' | 'sse', Transport>;
  readonly #running = new Set<Turn>();
  readonly #warned = new Set<string>();
  readonly #maxFrameBytes: number;
  #turns = 0;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /** @internal `createClient` is the way; tests bring their own clock. */
  constructor(settings: Settings, clock: Clock) {
    const { endpoint, pool, timeouts } = settings;
    const limits = limitsOf(endpoint.host);
    this.#settings = settings;
    this.#clock = clock;
    this.#maxFrameBytes = limits.maxFrameBytes;
    this.#network = createNetwork(
      endpoint,
      handshakeOf({ ...settings.identity, dialMs: timeouts.dialMs, clock }),
      settings.network,
    );
    this.#pool = new Pool({
      network: this.#network,
      clock,
      maxConnections: pool.maxConnections,
      maxAgeMs: pool.maxAgeMs ?? limits.maxAgeMs,
      dialMs: timeouts.dialMs,
      queueMs: timeouts.queueMs,
    });
    this.#transports = {
      websocket: new WebSocketTransport(this.#pool, clock),
      sse: new SseTransport(this.#network, clock, timeouts.dialMs),
    };
  }

  /**
   * Begins a turn at once. Never throws: what is wrong with the request, too, is the turn's failure.
   *
   * The full `input` travels each time, unless `previous_response_id` says what it continues.
   */
  turn(params: TurnParams, options: TurnOptions = {}): Turn {
    this.#turns += 1;
    const { timeouts } = this.#settings;
    const context: TurnContext = {
      number: this.#turns,
      transports: this.#transports,
      clock: this.#clock,
      firstEventMs: timeouts.firstEventMs,
      idleMs: timeouts.idleMs,
      unreadMs: timeouts.unreadMs,
      onFallback: (reason) => this.#warn(reason),
      onSettled: (settled) => this.#settled(settled),
    };
    const signal: unknown = (options as TurnOptions | null)?.signal;
    const turn = new Turn(context, signal instanceof AbortSignal ? signal : undefined);
    this.#running.add(turn);
    try {
      checkTurnOptions(options);
      if (this.#closed) throw new TurnwireError('client_closed', 'this client is closed: create another one');
      turn.begin(this.#route(new TurnRequest(params), options.transport));
    } catch (error) {
      if (!(error instanceof TurnwireError)) throw error;
      turn.end(error);
    }
    return turn;
  }

  get stats(): ClientStats {
    return this.#pool.stats;
  }

  /** Begins no more turns, waits for the running ones to end, then closes the connections. A turn that nobody reads is waited for, too. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.#pool.close();
    this.#network.destroy();
  }

  /** Ends everything now; running turns fail with `client_closed`. */
  destroy(): void {
    this.#closed = true;
    for (const turn of this.#running) turn.end(new TurnwireError('client_closed', 'the client was destroyed'));
    this.#pool.destroy();
    this.#network.destroy();
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Which transport a turn begins with; what can be known before anything is sent is decided here (E1). */
  #route(request: TurnRequest, ofTurn: TransportChoice | undefined): Route {
    const choice = ofTurn === undefined ? this.#settings.transport : checkTransport('turn: transport', ofTurn);
    const forSse = this.#onlyBySse(request);
    if (choice === 'websocket' && forSse !== undefined) throw forSse;
    const sse = choice === 'sse' || forSse !== undefined;
    if (sse && request.webSocketOnly) {
      throw new TurnwireError(
        'invalid_request',
        'generate: false works over a WebSocket only: over SSE the turn would run and be paid for',
      );
    }
    return {
      request,
      choice,
      transport: sse ? 'sse' : 'websocket',
      reason: choice === 'auto' ? forSse?.message : undefined,
    };
  }

  #onlyBySse(request: TurnRequest): TurnwireError | undefined {
    if (request.sseOnly)
      return new TurnwireError('invalid_request', 'background responses are not known on a WebSocket');
    const bytes = request.frameBytes;
    if (bytes <= this.#maxFrameBytes) return undefined;
    return new TurnwireError(
      'request_too_large',
      `the request has ${bytes} bytes, and one frame of ${this.#settings.endpoint.host} at most ${this.#maxFrameBytes}`,
    );
  }

  #settled(turn: Turn): void {
    this.#running.delete(turn);
    if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #warn(reason: string): void {
    const { onWarning } = this.#settings;
    if (onWarning === false || this.#warned.has(reason) || this.#warned.size >= mostWarnings) return;
    this.#warned.add(reason);
    // Not from within the turn: what the callback throws is its owner's, and ends no turn (I3).
    queueMicrotask(() => onWarning(`turnwire: a turn goes by SSE instead of a WebSocket: ${reason}`));
  }
}

/** Reasons may hold numbers that differ each time. */
const mostWarnings = 100;
