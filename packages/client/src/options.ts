import { endpointOf } from './network/endpoint.js';
import { keyProblem } from './network/handshake.js';
import { TurnwireError } from './protocol/errors.js';
import type { SecureContextOptions } from 'node:tls';
import type { Endpoint } from './network/endpoint.js';

/** What `createClient` takes. Everything has a default; a value that makes no sense is refused at once (`invalid_option`). */
export interface ClientOptions {
  /**
   * The key, sent as `Authorization: Bearer …` in the handshake of each connection and in each POST, nowhere else. A function is
   * asked at every dial and every POST, so that a rotated key is picked up; what it returns is not kept.
   *
   * @default the environment's OPENAI_API_KEY, but only for the default `baseUrl` or the one from OPENAI_BASE_URL: a key from the
   * environment never goes to another host. With another `baseUrl` and no `apiKey`, no Authorization header is sent.
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
  network?: NetworkOptions | undefined;
  /**
   * Told in one sentence when something works, but not as asked: a fallback to SSE, once for each reason.
   *
   * @default process.emitWarning, as a TurnwireWarning; `false` says nothing (the turn's report still does)
   */
  onWarning?: ((message: string) => void) | false | undefined;
}

export type TransportChoice = 'auto' | 'websocket' | 'sse';

export interface PoolOptions {
  /** Live connections at most; further turns wait their turn. @default 32 */
  maxConnections?: number | undefined;
  /**
   * No new turn begins on a connection older than this, in milliseconds. A running turn is never cut.
   *
   * @default by provider: 55 minutes of the service's 60 (24 for api.x.ai's 25, 12 for ai-gateway.vercel.sh's 13)
   */
  maxAgeMs?: number | undefined;
}

/** All in milliseconds; `Infinity` switches one off. */
export interface TimeoutOptions {
  /** TCP, TLS and the upgrade together; also asking `apiKey` and `headers`. @default 15_000 */
  dialMs?: number | undefined;
  /** From the request to its first event. Local servers may read a long prompt before they answer. @default 300_000 */
  firstEventMs?: number | undefined;
  /** Between two events: silent reasoning can take many minutes (P68). @default 900_000 */
  idleMs?: number | undefined;
  /** Waiting for a connection while all of `pool.maxConnections` are busy. @default 600_000 */
  queueMs?: number | undefined;
  /** How long a turn may lie full and unread before its connection is taken back. @default 900_000 */
  unreadMs?: number | undefined;
}

/** How bytes leave, the same for both transports. */
export interface NetworkOptions {
  /** Certificate authorities to trust instead of Node's own list (PEM). NODE_EXTRA_CA_CERTS works without this. */
  ca?: SecureContextOptions['ca'] | undefined;
  /** A client certificate and its key (PEM), for servers that ask for one. */
  cert?: SecureContextOptions['cert'] | undefined;
  key?: SecureContextOptions['key'] | undefined;
}

/** The options with every default filled in. */
export interface Settings {
  endpoint: Endpoint;
  identity: Pick<ClientOptions, 'apiKey' | 'headers' | 'organization' | 'project'>;
  transport: TransportChoice;
  pool: { maxConnections: number; maxAgeMs: number | undefined };
  timeouts: Record<keyof TimeoutOptions, number>;
  network: NetworkOptions;
  onWarning: ((message: string) => void) | false;
}

const defaultBaseUrl = 'https://api.openai.com/v1';

const defaultTimeouts: Settings['timeouts'] = {
  dialMs: 15_000,
  firstEventMs: 300_000,
  idleMs: 900_000,
  queueMs: 600_000,
  unreadMs: 900_000,
};

const known: Readonly<Record<string, readonly string[]>> = {
  createClient: [
    'apiKey',
    'baseUrl',
    'headers',
    'network',
    'onWarning',
    'organization',
    'pool',
    'project',
    'timeouts',
    'transport',
  ],
  pool: ['maxAgeMs', 'maxConnections'],
  timeouts: Object.keys(defaultTimeouts),
  network: ['ca', 'cert', 'key'],
};

/** @throws TurnwireError `invalid_option`, `missing_api_key` */
export function resolveOptions(options: ClientOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  checkGroup('createClient', options);
  const { pool = {}, timeouts = {}, network = {}, onWarning = warnProcess } = options;
  checkGroup('pool', pool);
  checkGroup('timeouts', timeouts);
  checkGroup('network', network);
  if (onWarning !== false && typeof onWarning !== 'function') throw invalid('onWarning must be a function, or false');
  if (pool.maxConnections !== undefined && !(Number.isInteger(pool.maxConnections) && pool.maxConnections >= 1)) {
    throw invalid(`pool.maxConnections must be a whole number from 1 on, not ${show(pool.maxConnections)}`);
  }
  const times = Object.entries({ ...timeouts, maxAgeMs: pool.maxAgeMs }).filter(([, value]) => value !== undefined);
  for (const [name, value] of times) {
    const option = `${name === 'maxAgeMs' ? 'pool' : 'timeouts'}.${name}`;
    if (typeof value !== 'number' || !(value > 0))
      throw invalid(`${option} must be a number of milliseconds above 0 (Infinity for no limit), not ${show(value)}`);
  }
  const { baseUrl, fromEnvironment, name } = resolveBaseUrl(options, env);
  const endpoint = endpointOf(baseUrl, name);
  return {
    endpoint,
    identity: {
      apiKey: resolveKey(options, fromEnvironment, env),
      headers: options.headers,
      organization: options.organization ?? (fromEnvironment ? nonEmpty(env['OPENAI_ORG_ID']) : undefined),
      project: options.project ?? (fromEnvironment ? nonEmpty(env['OPENAI_PROJECT_ID']) : undefined),
    },
    transport: checkTransport('transport', options.transport ?? 'auto'),
    pool: { maxConnections: pool.maxConnections ?? 32, maxAgeMs: pool.maxAgeMs },
    timeouts: Object.fromEntries(
      Object.entries(defaultTimeouts).map(([key, value]) => [key, timeouts[key as keyof TimeoutOptions] ?? value]),
    ) as Settings['timeouts'],
    network,
    onWarning,
  };
}

/** @throws TurnwireError `invalid_option` */
export function checkTransport(name: string, value: unknown): TransportChoice {
  if (value === 'auto' || value === 'websocket' || value === 'sse') return value;
  const guess = typeof value === 'string' ? guesses[value.toLowerCase()] : undefined;
  throw invalid(
    `${name} must be "auto", "websocket" or "sse", not ${show(value)}${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
  );
}

const guesses: Readonly<Record<string, TransportChoice>> = {
  auto: 'auto',
  http: 'sse',
  https: 'sse',
  sse: 'sse',
  stream: 'sse',
  websocket: 'websocket',
  websockets: 'websocket',
  ws: 'websocket',
  wss: 'websocket',
};

/** The key of the environment belongs to these two addresses only (W8). */
function resolveBaseUrl(
  options: ClientOptions,
  env: Readonly<Record<string, string | undefined>>,
): { baseUrl: string; fromEnvironment: boolean; name: string } {
  if (options.baseUrl !== undefined) {
    if (typeof options.baseUrl !== 'string') throw invalid(`baseUrl must be a string, not ${show(options.baseUrl)}`);
    const same = options.baseUrl.replace(/\/+$/, '');
    return {
      baseUrl: options.baseUrl,
      fromEnvironment: same === defaultBaseUrl || same === env['OPENAI_BASE_URL']?.replace(/\/+$/, ''),
      name: 'baseUrl',
    };
  }
  const fromEnv = nonEmpty(env['OPENAI_BASE_URL']);
  return {
    baseUrl: fromEnv ?? defaultBaseUrl,
    fromEnvironment: true,
    name: fromEnv === undefined ? 'baseUrl' : 'OPENAI_BASE_URL',
  };
}

function resolveKey(
  options: ClientOptions,
  fromEnvironment: boolean,
  env: Readonly<Record<string, string | undefined>>,
): ClientOptions['apiKey'] {
  if (options.apiKey !== undefined) {
    if (typeof options.apiKey === 'function') return options.apiKey;
    const problem = keyProblem(options.apiKey);
    if (problem !== undefined) throw invalid(`apiKey ${problem}`);
    return options.apiKey;
  }
  // Another identity may stand in the caller's own headers.
  if (!fromEnvironment || options.headers !== undefined) return undefined;
  const key = env['OPENAI_API_KEY'];
  if (key === undefined || key === '') {
    throw new TurnwireError(
      'missing_api_key',
      `no key: set OPENAI_API_KEY${key === '' ? ' (it is empty)' : ''}, or give apiKey to createClient`,
    );
  }
  const problem = keyProblem(key);
  if (problem !== undefined) throw invalid(`OPENAI_API_KEY ${problem}`);
  return key;
}

function checkGroup(group: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${group === 'createClient' ? 'the options' : group} must be an object, not ${show(value)}`);
  const names = known[group] ?? [];
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const spelled = names.find(
      (other) => other.toLowerCase().replace(/ms$/, '') === name.toLowerCase().replaceAll('_', '').replace(/ms$/, ''),
    );
    const home = Object.entries(known).find(([, inside]) => inside.includes(name))?.[0];
    const guess = spelled ?? (home === undefined || home === 'createClient' ? undefined : `${home}.${name}`);
    throw invalid(
      `${group === 'createClient' ? '' : `${group}.`}${name} is no option${guess === undefined ? ` (there are ${names.join(', ')})` : `; did you mean "${guess}"?`}`,
    );
  }
}

function warnProcess(message: string): void {
  process.emitWarning(message, { type: 'TurnwireWarning' });
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function show(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value.slice(0, 100))
    : Array.isArray(value)
      ? 'an array'
      : typeof value === 'object' && value !== null
        ? 'an object'
        : String(value);
}

function invalid(message: string): TurnwireError {
  return new TurnwireError('invalid_option', message);
}
