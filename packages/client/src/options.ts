import type { LookupFunction } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { DiagnosticEvent } from './diagnostics.js';

/** What `createClient` takes. Everything has a default; a value that makes no sense is refused at once (`invalid_option`). */
export interface ClientOptions {
  /**
   * The key, sent as `Authorization: Bearer …` in the handshake of each connection and in each POST, nowhere else. A function is
   * asked at every dial and every POST, so that a rotated key is picked up; what it returned is kept only to be cut out of errors.
   *
   * @default the environment's OPENAI_API_KEY, but only for the default `baseUrl` or the one from OPENAI_BASE_URL: a key from the
   * environment never goes to another host. With another `baseUrl` and no `apiKey`, no Authorization header is sent; where `headers`
   * has an Authorization of its own, that one is.
   */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /**
   * The base of the API's addresses, with its version: `/responses` is appended for both transports, and `https` becomes `wss` for
   * the WebSocket (P1).
   *
   * @default OPENAI_BASE_URL, or `https://api.openai.com/v1`
   */
  baseUrl?: string | undefined;
  /** Sent as OpenAI-Organization. @default OPENAI_ORG_ID, for the same hosts as the key */
  organization?: string | undefined;
  /** Sent as OpenAI-Project. @default OPENAI_PROJECT_ID, for the same hosts as the key */
  project?: string | undefined;
  /** More headers for the handshake and for each POST; a function is asked each time, like `apiKey`. They win over our own. */
  headers?:
    | Readonly<Record<string, string>>
    | (() => Record<string, string> | Promise<Record<string, string>>)
    | undefined;
  /**
   * `auto` takes a WebSocket, and SSE for a turn whose WebSocket cannot be had; `websocket` never falls back; `sse` never dials.
   *
   * @default 'auto'
   */
  transport?: TransportChoice | undefined;
  pool?: PoolOptions | undefined;
  timeouts?: TimeoutOptions | undefined;
  recovery?: RecoveryOptions | undefined;
  network?: NetworkOptions | undefined;
  /**
   * Carries the SSE transport in place of connections of our own: where HTTP is mocked, proxied or observed by a `fetch`. With `transport: 'sse'`
   * nothing goes around it. It is called with the address as text, `method`, `headers`, a text as `body`, `signal` and `redirect: 'manual'`; what
   * `network` says is for WebSockets then, and a turn that may have run is not sent a second time.
   *
   * @default none: POSTs go over connections that are kept
   */
  fetch?: typeof globalThis.fetch | undefined;
  chains?: ChainOptions | undefined;
  /**
   * Told in one sentence when something works, but not as asked: a fallback to SSE, once for each reason.
   *
   * @default process.emitWarning, as a TurnwireWarning; `false` says nothing (the turn's report still does)
   */
  onWarning?: ((message: string) => void) | false | undefined;
  /**
   * Told what happens beneath the turns: dials, plans, sends, fallbacks, …, each with its `name`; the same as on the diagnostics channels, for this
   * client alone. Nothing of it is secret, or of what the model was told or said. What it throws is an uncaught exception of yours.
   */
  onEvent?: ((event: DiagnosticEvent) => void) | undefined;
}

/** The memory of what servers hold, by which a full history becomes what is new: see docs/continuation.md. */
export interface ChainOptions {
  /**
   * For all conversations together, in bytes as estimated. What was not used for longest is forgotten first, and costs one full resend. 0
   * remembers nothing: every turn is sent in full, as over HTTP.
   *
   * @default 67_108_864 (64 MiB)
   */
  maxBytes?: number | undefined;
}

export type TransportChoice = 'auto' | 'websocket' | 'sse';

export interface PoolOptions {
  /** Live connections at most; further turns wait their turn. @default 32 */
  maxConnections?: number | undefined;
  /**
   * No new turn begins on a connection older than this, in milliseconds. A running turn is never cut.
   *
   * @default 45 minutes at api.openai.com; elsewhere the provider's limit (60 minutes, 25 at api.x.ai, 13 at ai-gateway.vercel.sh) less
   *   `timeouts.idleMs`, or less a quarter of the limit where that is less
   */
  maxAgeMs?: number | undefined;
  /**
   * A connection that carried no turn for this long, in milliseconds, is closed, and the chains on it that are not stored are given up: they go in
   * full. For programs with many conversations, each of which holds a connection of a provider without lanes.
   *
   * @default Infinity
   */
  maxIdleMs?: number | undefined;
  /**
   * Turns share connections: up to 16 at a time on one, each on a lane of its own (`stream_id`). Saves connections, and lets a fork continue a
   * response that is not stored while another turn does the same. On a shared connection a turn that reads slowly does not slow the others;
   * it fails with `unread_overflow` when it is too far behind. A server that refuses lanes, or answers without them, is served without.
   * Of no effect where the provider is known to have none (api.x.ai, ai-gateway.vercel.sh, Azure): one turn at a time there.
   *
   * @default false
   */
  lanes?: boolean | undefined;
  /**
   * A connection that was silent for this long, in milliseconds, is sent a ping: its pong tells the server's silence from a dead connection,
   * and keeps middleboxes from forgetting it. `Infinity` for none; what has rested is asked all the same before it is used again.
   *
   * @default 25_000, because many middleboxes cut after 30 seconds
   */
  pingMs?: number | undefined;
}

/** All in milliseconds; `Infinity` switches one off. */
export interface TimeoutOptions {
  /** TCP, TLS and the upgrade together; also asking `apiKey` and `headers`. @default 15_000 */
  dialMs?: number | undefined;
  /** From the request to its first event. Local servers may read a long prompt before they answer. @default 300_000 */
  firstEventMs?: number | undefined;
  /** Between two events: silent reasoning can take many minutes (P68). @default 900_000 */
  idleMs?: number | undefined;
  /**
   * For the pong to a ping. A connection that misses one is ended, its turns fail with `connection_lost`; but only if it has answered one
   * before, for some servers never do. A reader that is slow, and a large message on its way, suspend this.
   *
   * @default 10_000
   */
  pongMs?: number | undefined;
  /** Waiting for a connection while all of `pool.maxConnections` are busy. @default 600_000 */
  queueMs?: number | undefined;
  /** How long a turn may lie full and unread before its connection is taken back. @default 900_000 */
  unreadMs?: number | undefined;
}

/** What a turn may cost before its failure is told; `docs/reliability.md` has the table of what is done after which failure. */
export interface RecoveryOptions {
  /**
   * When a request may be written to the network for a second time within its turn.
   *
   * - `never`: not at all. Another connection or transport is still taken while nothing of the request has been written.
   * - `unsent`: where the server certainly did not run it: the end of the request was never handed over, or the server refused it before
   *   it began.
   * - `unanswered`: also once where it was sent and nothing came back, so that it may have run. Not for a turn with effects: one with a
   *   `conversation`, or with tools that act on the provider's side.
   *
   * Once an event of the answer was handed over, nothing is repeated under any of them.
   *
   * @default 'unanswered': a connection that dies without a word has, as a rule, died before the request came (B1)
   */
  replay?: ReplayPolicy | undefined;
  /** How often a turn is tried at most, the first time included, all reasons and both transports together (C6). @default 4 */
  maxAttempts?: number | undefined;
  /**
   * How long a turn may go on trying after its first failure, in milliseconds; `Infinity` for no limit. A server that asks to wait for
   * longer than what is left of it is not waited for: its refusal surfaces at once (G3).
   *
   * @default 60_000
   */
  budgetMs?: number | undefined;
  /**
   * `retry` waits and tries again where the server refused for a reason that passes (429, 5xx, overload), or could not be reached.
   * `surface` leaves all waiting to the caller, for programs that have retries of their own: layers that both retry multiply (C6). Moves
   * that need no wait, such as a redial or the fallback to SSE, are made all the same.
   *
   * @default 'retry'
   */
  refusals?: 'retry' | 'surface' | undefined;
}

export type ReplayPolicy = 'never' | 'unsent' | 'unanswered';

/** How bytes leave, the same for both transports. */
export interface NetworkOptions {
  /**
   * Certificate authorities to trust instead of Node's own list (PEM), also for a proxy that is spoken to over TLS. NODE_EXTRA_CA_CERTS
   * works without this. A certificate that is not trusted ends the turn at once, whatever the transport: checking cannot be switched off.
   */
  ca?: SecureContextOptions['ca'] | undefined;
  /** A client certificate and its key (PEM), for servers that ask for one. Not shown to a proxy. */
  cert?: SecureContextOptions['cert'] | undefined;
  key?: SecureContextOptions['key'] | undefined;
  /**
   * The HTTP proxy by which everything goes: `http://host:port`, or `https://host:port` for one that is itself spoken to over TLS; a user name
   * and a password in it are for the proxy alone. `false`: none, whatever the environment says. A proxy is never bypassed, not when it
   * fails and not for a fallback; other kinds (SOCKS) are refused.
   *
   * @default HTTPS_PROXY or HTTP_PROXY, by the scheme of `baseUrl`, else ALL_PROXY, in either case, except for hosts in NO_PROXY and this
   * machine's own addresses. They are read when the client is created.
   */
  proxy?: string | false | undefined;
  /**
   * The base URL of a relay to which everything is sent in place of `baseUrl`, because it passes it on there: one that records, say. What
   * depends on whose server it is stays with `baseUrl`: its limits, its query, and where the key from the environment may go.
   *
   * @default none
   */
  relay?: string | undefined;
  /**
   * Finds the addresses of a host (of the proxy, where there is one): what Node's `dns.lookup` does, with the same arguments. May answer with
   * one address or with a list; of a list, each is tried for a quarter of a second until one connects.
   *
   * @default dns.lookup
   */
  lookup?: LookupFunction | undefined;
  /**
   * Lets a `baseUrl` with `http:` name another host than this machine, or go by a proxy elsewhere: key and content then travel where
   * others can read them.
   *
   * @default false
   */
  allowPlaintext?: boolean | undefined;
}
