import type { ClientOptions, NetworkOptions } from '../options.js';
import type { ClientStats } from '../turn/client.js';

/**
 * What `createFetch` takes: the options of `createClient`, but for those that say who asks and where, because each request says that by
 * itself. Everything has a default.
 *
 * One default differs: `recovery.refusals` is `surface`. SDKs wait and try again by themselves, and layers that both do so multiply (C6).
 */
export interface FetchOptions extends Pick<
  ClientOptions,
  'transport' | 'pool' | 'timeouts' | 'recovery' | 'onWarning' | 'onEvent'
> {
  network?: FetchNetworkOptions | undefined;
  /**
   * For every request that is no turn. It is called with exactly what this fetch was called with.
   *
   * @default globalThis.fetch, as it is at the time of each call
   */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * The memory by which a full history becomes what is new. `maxBytes` is for all identities together: when they hold more, the one that was not
   * used for longest is closed. 0 remembers nothing: every turn is sent in full. Half as much again, at most, takes the text of the last bodies, of
   * which then only what is new is parsed.
   *
   * @default { maxBytes: 67_108_864 } (64 MiB)
   */
  chains?: ClientOptions['chains'];
  /**
   * Headers that differ from request to request and say nothing of who asks: left out of the identity, as those that docs/fetch.md lists. They travel
   * with a POST; a WebSocket has no place for them. The headers that say who asks (`authorization`, `api-key`, `openai-organization`, …) are refused.
   *
   * @example ['x-turn-id', 'x-acme-trace-*']
   */
  perRequestHeaders?: readonly HeaderPattern[] | undefined;
  /**
   * Makes the identity an allow-list: the headers named here, beside those that say who asks in any case (`authorization`, `api-key`,
   * `openai-organization`, what ends in `-key`, `-token`, …). Every other header then counts as one of `perRequestHeaders`.
   *
   * @example ['x-tenant']
   * @default every header that is not known to differ by request
   */
  identityHeaders?: readonly HeaderPattern[] | undefined;
}

/** A header's name, in any case; with `*` for any characters, or an expression. */
export type HeaderPattern = string | RegExp;

/** The network options of `createClient`, and `viaFetch`. */
export interface FetchNetworkOptions extends NetworkOptions {
  /**
   * Carries the SSE transport over the ordinary fetch (the option `fetch`, or `globalThis.fetch`) in place of connections of our own: where HTTP is
   * mocked or observed. With `transport: 'sse'` nothing goes around it.
   *
   * @default false
   */
  viaFetch?: boolean | undefined;
}

/** Counts of a fetch since it was created. */
export interface FetchStats extends ClientStats {
  /** Requests that went as turns. */
  turns: number;
  /** Of these, the ones of which only what is new was sent. */
  deltas: number;
  /** Of these, the ones that went by SSE. */
  sse: number;
  /** Requests that were handed to the ordinary fetch. */
  passed: number;
  /** Combinations of address and credentials that are remembered now. Each has connections and chains of its own. */
  identities: number;
}

/** A `fetch`, for wherever one can be given. Needs no `this`. */
export interface TurnwireFetch extends AsyncDisposable {
  (...args: Parameters<typeof globalThis.fetch>): ReturnType<typeof globalThis.fetch>;
  /**
   * Begins no more turns (they reject, as a fetch without network does), waits for the running ones to end, then closes the connections. A small
   * answer ends although nobody reads its body; a larger one of which nothing is read for 10 seconds fails. Idle connections do not keep the
   * process alive, so programs that just end need not call it.
   */
  close(): Promise<void>;
  /** Ends everything now: running turns fail, or their bodies do. */
  destroy(): void;
  stats(): FetchStats;
}
