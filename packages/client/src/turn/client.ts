import { ChainMemory } from '../continuation/memory.js';
import { systemClock } from '../base/clock.js';
import { Diagnostics } from '../diagnostics.js';
import { createNetwork } from '../network/network.js';
import { isFetchReplaced, replacedFetchWarning } from '../network/replaced-fetch.js';
import { identityHeadersOf } from '../network/identity-headers.js';
import { checkTransport, checkTurnOptions, resolveOptions } from '../settings/settings.js';
import { DialRateLimiter } from '../pool/dialling/dial-rate-limiter.js';
import { Pool } from '../pool/pool.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { limitsOf, maxAgeOf } from '../protocol/limits.js';
import { SseTransport } from '../transport/sse-transport.js';
import { WebSocketTransport } from '../transport/websocket-transport.js';
import { Breaker } from './recovery/breaker.js';
import { isRefusedForLoad } from './recovery/dial-load.js';
import { planOf } from './attempt/attempt-runner.js';
import { Conversation } from './conversation.js';
import { TurnRequest } from './request.js';
import { ExpiringModels } from './recovery/expiring-models.js';
import { Turn } from './turn.js';
import { UsageTotal } from './usage.js';
import type { ChainPlan } from '../continuation/memory.js';
import type { JsonObject } from '../json/json.js';
import type { Clock } from '../base/clock.js';
import type { Network } from '../network/network.js';
import type { ClientOptions } from '../options.js';
import type { Settings } from '../settings/settings.js';
import type { ForeignTurnParams, TurnParams } from '../protocol/request.js';
import type { ClientContext } from './client-context.js';
import type { FrameOptions } from './attempt/frame-options.js';
import type { RequestOptions } from './request.js';
import type { TurnContext } from './turn.js';
import type { TurnOptions } from './turn-options.js';

/** Counts of a client since it was created. */
export interface ClientStats {
  /** WebSocket connections dialled, also those that failed. */
  dialled: number;
  /** Open now. */
  connections: number;
  /** Of these, carrying a turn. */
  busy: number;
  /** Lanes that carry a turn, of all connections together: more than `busy` where turns share connections. */
  lanes: number;
  /** Chains that were not stored, and whose connection was given to another turn or was idle for too long, since the client was created. */
  chainsGivenUp: number;
  /** Chains that are remembered, so that a full history can be sent as what is new. */
  chains: number;
  /** What all responses have cost, each counted once, from whichever terminal event, read or not. */
  usage: { responses: number; inputTokens: number; cachedTokens: number; outputTokens: number };
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

/** @internal */
export type ClientHooks = Partial<Pick<TurnContext, 'onCommitted'>> & {
  onSettled?: (turn: Turn) => void;
} & RequestOptions &
  FrameOptions;

export class Client implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #network: Network;
  readonly #pool: Pool;
  readonly #client: ClientContext;
  readonly #running = new Set<Turn>();
  readonly #warming = new Set<Turn>();
  readonly #usage = new UsageTotal();
  /** Aborts dials that no turn has asked for. */
  readonly #warmUpAbort = new AbortController();
  #turns = 0;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /** @internal `createClient` is the way; tests bring their own clock. */
  constructor(settings: Settings, clock: Clock, random: () => number = Math.random) {
    const { endpoint, providerHost, identity, pool, timeouts } = settings;
    const limits = limitsOf(providerHost);
    const diagnostics = new Diagnostics(settings.onEvent);
    this.#settings = settings;
    this.#network = createNetwork(
      endpoint,
      identityHeadersOf({ ...identity, dialMs: timeouts.dialMs, clock }),
      settings.network,
      clock,
    );
    this.#pool = new Pool({
      network: this.#network,
      clock,
      diagnostics,
      random,
      maxConnections: pool.maxConnections,
      pingMs: pool.pingMs,
      maxIdleMs: pool.maxIdleMs,
      pongMs: timeouts.pongMs,
      lanes: pool.lanes ? limits.lanes : undefined,
      dialLimiter: new DialRateLimiter(clock, random),
      isForLoad: isRefusedForLoad,
      maxAgeMs: pool.maxAgeMs ?? maxAgeOf(providerHost, timeouts.idleMs),
      dialMs: timeouts.dialMs,
      queueMs: timeouts.queueMs,
    });
    this.#client = {
      transports: {
        websocket: new WebSocketTransport(this.#pool, clock),
        sse: new SseTransport(this.#network, clock, timeouts.dialMs),
      },
      clock,
      random,
      diagnostics,
      secrets: this.#network.secrets,
      memory: new ChainMemory({ maxBytes: settings.chains.maxBytes }),
      breaker: new Breaker(clock, random),
      streamRefusals: new ExpiringModels(clock),
      ignoredIds: new ExpiringModels(clock),
      limits,
      choice: settings.transport,
      timeouts,
      recovery: settings.recovery,
      credentialIsAsked: typeof identity.apiKey === 'function' || typeof identity.headers === 'function',
      usesFetch: this.#network.usesFetch,
      holds: (responseId) => this.#pool.holds(responseId),
      canServe: (placement) => this.#pool.canServe(placement),
      onFallback: (kind, reason) => this.#warn(kind, `a turn goes by SSE instead of a WebSocket: ${reason}`),
      onIgnoredId: () => this.#warn('chain_ignored', ignoredIdWarning(endpoint.origin)),
      onUsage: (usage) => this.#usage.add(usage),
    };
  }

  /**
   * Begins a turn at once. Never throws: what is wrong with the request, too, is the turn's failure.
   *
   * `input` may be the full history each time, as a plain client would send it: over a WebSocket only what the server does not hold yet
   * travels (`report.plan`). With `previous_response_id` it is what is new.
   */
  turn(params: TurnParams | ForeignTurnParams, options: TurnOptions = {}): Turn {
    return this.#begin(params, options, {});
  }

  /** @internal For `createFetch`: the turn's frames are text, a POST has headers of its own, and `params` is a snapshot already. */
  turnAsText(params: JsonObject, options: TurnOptions, hooks: ClientHooks = {}): Turn {
    return this.#begin(params, options, { ...hooks, asText: true });
  }

  /** @internal A connection that can take a turn now holds this response. */
  holds(responseId: string): boolean {
    return this.#pool.holds(responseId);
  }

  /** @internal How a turn would be sent now, over a WebSocket; undefined where it names the response that it continues, or has no input of items. */
  plan(params: JsonObject): ChainPlan | undefined {
    const { items, fields, previousResponseId } = new TurnRequest(params, true);
    return items === undefined || previousResponseId !== undefined
      ? undefined
      : planOf(this.#client, { items, fields });
  }

  /** @internal What the memory of chains takes, in bytes: those of several clients can have one budget. */
  get chainBytes(): number {
    return this.#client.memory.bytes;
  }

  /** Turns that continue each other; see `Conversation`. `defaults` (model, instructions, tools, …) hold for each of them. */
  conversation(defaults: TurnParams | ForeignTurnParams = {}): Conversation {
    return new Conversation(defaults, (params, options, hooks) => this.#begin(params, options, hooks));
  }

  /**
   * Prepares for turns to come: dials a connection, so that the first turn need not. With `params` and a provider that knows `generate: false`
   * (P38) it also lets the server read them (model, instructions, tools, and the input so far) and continues from there: that costs
   * their input tokens.
   *
   * Resolves when all that could be done is done, and never rejects: a turn is never delayed, answered or failed by it. Does nothing
   * over SSE.
   */
  async warm(params?: TurnParams | ForeignTurnParams): Promise<void> {
    if (this.#closed || this.#settings.transport === 'sse') return;
    // A failure here is not reported: the turn that it concerns will fail with it.
    if (params === undefined || !this.#client.limits.warmUp)
      return this.#pool.warm(this.#warmUpAbort.signal).catch(() => {});
    const turn = this.#begin({ ...params, generate: false }, { transport: 'websocket' }, { onSettled: () => {} });
    this.#warming.add(turn);
    await turn.response().catch(() => {});
    this.#warming.delete(turn);
  }

  get stats(): ClientStats {
    return { ...this.#pool.stats, chains: this.#client.memory.size, usage: this.#usage.value };
  }

  /**
   * Begins no more turns, waits for the running ones to end, then closes the connections. Small answers end although nobody reads them; a larger
   * one of which nothing is read for 10 seconds fails with `unread_timeout`. Every wait of a turn has its bound in `timeouts`: where all of it
   * must end now, there is `destroy()`.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#warmUpAbort.abort();
    for (const turn of this.#running) turn.closing();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.#pool.close();
    this.#network.destroy();
  }

  /** Ends everything now; running turns fail with `client_closed`. */
  destroy(): void {
    this.#closed = true;
    this.#warmUpAbort.abort();
    for (const turn of this.#running) turn.end(new TurnwireError('client_closed', 'the client was destroyed'));
    this.#pool.destroy();
    this.#network.destroy();
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(params: unknown, options: TurnOptions, hooks: ClientHooks): Turn {
    this.#turns += 1;
    if (this.#turns === 1 && hooks.asText !== true) this.#warnOfReplacedFetch();
    const signal: unknown = (options as TurnOptions | null)?.signal;
    const turn = new Turn(this.#client, {
      number: this.#turns,
      signal: signal instanceof AbortSignal ? signal : undefined,
      onSettled: (settled) => {
        this.#settled(settled);
        hooks.onSettled?.(settled);
      },
      onCommitted: hooks.onCommitted,
    });
    this.#running.add(turn);
    try {
      checkTurnOptions(options);
      if (this.#closed) throw new TurnwireError('client_closed', 'this client is closed: create another one');
      if (params instanceof TurnwireError) throw params;
      const choice =
        options.transport === undefined
          ? this.#settings.transport
          : checkTransport('turn: transport', options.transport);
      this.#cancelWarmUps();
      turn.begin(new TurnRequest(params, hooks.asText, hooks), choice, hooks);
    } catch (error) {
      if (!(error instanceof TurnwireError)) throw error;
      turn.end(error);
    }
    return turn;
  }

  /** A warm-up must not keep a turn waiting: it is cancelled when all connections are busy. */
  #cancelWarmUps(): void {
    if (this.#warming.size === 0 || this.#pool.stats.busy < this.#settings.pool.maxConnections) return;
    for (const turn of this.#warming) turn.cancel();
  }

  /** Warns that `globalThis.fetch` was replaced: a turn that a test meant for its mock would reach the service, and be paid for. */
  #warnOfReplacedFetch(): void {
    const { onWarning, transport, network } = this.#settings;
    if (onWarning === false || (transport === 'sse' && network.fetch !== undefined) || !isFetchReplaced()) return;
    const warning = replacedFetchWarning('give createClient that fetch, and transport: "sse"');
    queueMicrotask(() => onWarning(warning));
  }

  #settled(turn: Turn): void {
    this.#running.delete(turn);
    if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #warn(kind: string, warning: string): void {
    const { onWarning, warned, endpoint } = this.#settings;
    const warnedKey = `${endpoint.origin} ${kind}`;
    if (onWarning === false || warned.has(warnedKey)) return;
    warned.add(warnedKey);
    // Not within the turn: an exception of the callback ends no turn (I3).
    queueMicrotask(() => onWarning(`turnwire: ${warning}`));
  }
}

function ignoredIdWarning(origin: string): string {
  return `${origin} takes previous_response_id and ignores it, so its answers would lack the history: turns go in full (docs/continuation.md)`;
}
