import { defaultChainBytes, defaultPool, defaultRecovery, defaultTimeouts } from '../base/bounds.js';
import { endpointOf } from '../network/endpoint.js';
import { headerProblem, keyProblem, valueProblem } from '../network/identity-headers.js';
import { isLoopback } from '../network/connect/loopback.js';
import { chooseProxy } from '../network/connect/proxy.js';
import { checkGroup, checkIsObject, checkOptions, checkTurnNames, clientNames, describeKind } from './option-names.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { nearest } from './spelling.js';
import type { DiagnosticEvent } from '../diagnostics.js';
import type { Endpoint } from '../network/endpoint.js';
import type { NetworkSettings } from '../network/network.js';
import type { Proxy } from '../network/connect/proxy.js';
import type { ClientOptions, NetworkOptions, RecoveryOptions, TimeoutOptions, TransportChoice } from '../options.js';

/** The options with every default filled in. */
export interface Settings {
  /** Where everything is sent: at `baseUrl`, or at the relay in front of it. */
  endpoint: Endpoint;
  /** The host of the provider, also behind a relay: its limits apply. */
  providerHost: string;
  identity: Pick<ClientOptions, 'apiKey' | 'headers' | 'organization' | 'project'>;
  transport: TransportChoice;
  pool: { maxConnections: number; maxAgeMs: number | undefined; maxIdleMs: number; lanes: boolean; pingMs: number };
  timeouts: Record<keyof TimeoutOptions, number>;
  recovery: { [Name in keyof RecoveryOptions]-?: NonNullable<RecoveryOptions[Name]> };
  network: NetworkSettings;
  chains: { maxBytes: number };
  onWarning: ((message: string) => void) | false;
  /** The warnings that were given: once is enough, for all clients of a `createFetch`. */
  warned: Set<string>;
  onEvent: ((event: DiagnosticEvent) => void) | undefined;
}

const defaultBaseUrl = 'https://api.openai.com/v1';

/** @throws TurnwireError `invalid_option`, `missing_api_key` */
export function resolveOptions(options: ClientOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  checkOptions(options, clientNames);
  const { pool = {}, timeouts = {}, network = {}, chains = {}, onWarning = warnProcess, onEvent } = options;
  checkGroup('pool', pool);
  checkGroup('timeouts', timeouts);
  checkGroup('chains', chains);
  checkNetwork(network);
  checkIdentity(options);
  if (onWarning !== false && typeof onWarning !== 'function') throw invalid('onWarning must be a function, or false');
  if (onEvent !== undefined && typeof onEvent !== 'function') throw invalid('onEvent must be a function');
  if (options.fetch !== undefined && typeof options.fetch !== 'function')
    throw invalid('fetch must be a function like globalThis.fetch');
  const { maxBytes = defaultChainBytes } = chains;
  if (typeof maxBytes !== 'number' || !(maxBytes >= 0))
    throw invalid(`chains.maxBytes must be a number of bytes (0 remembers nothing), not ${show(maxBytes)}`);
  if (pool.maxConnections !== undefined && !(Number.isInteger(pool.maxConnections) && pool.maxConnections >= 1)) {
    throw invalid(`pool.maxConnections must be a whole number from 1 on, not ${show(pool.maxConnections)}`);
  }
  if (pool.lanes !== undefined && typeof pool.lanes !== 'boolean')
    throw invalid(`pool.lanes must be true or false, not ${show(pool.lanes)}`);
  const ofPool = { maxAgeMs: pool.maxAgeMs, maxIdleMs: pool.maxIdleMs, pingMs: pool.pingMs };
  const times = Object.entries({ ...timeouts, ...ofPool }).filter(([, value]) => value !== undefined);
  for (const [name, value] of times) {
    const option = `${name in ofPool ? 'pool' : 'timeouts'}.${name}`;
    if (typeof value !== 'number' || !(value > 0))
      throw invalid(`${option} must be a number of milliseconds above 0 (Infinity for no limit), not ${show(value)}`);
  }
  const { baseUrl, fromEnvironment, name } = resolveBaseUrl(options, env);
  const provider = endpointOf(baseUrl, name);
  const { proxy: asked, relay, ...ownNetwork } = network;
  const endpoint = relay === undefined ? provider : relayedBy(relay, provider);
  const proxy = chooseProxy(endpoint, asked, env);
  if (relay !== undefined) checkPlaintext(provider, name, undefined, network.allowPlaintext);
  checkPlaintext(endpoint, relay === undefined ? name : 'network.relay', proxy, network.allowPlaintext);
  return {
    endpoint,
    providerHost: provider.host,
    identity: {
      apiKey: resolveKey(options, fromEnvironment, env),
      headers: options.headers,
      organization: options.organization ?? (fromEnvironment ? ofEnvironment('OPENAI_ORG_ID', env) : undefined),
      project: options.project ?? (fromEnvironment ? ofEnvironment('OPENAI_PROJECT_ID', env) : undefined),
    },
    transport: checkTransport('transport', options.transport === undefined ? 'auto' : options.transport),
    pool: {
      maxConnections: pool.maxConnections ?? defaultPool.maxConnections,
      maxAgeMs: pool.maxAgeMs,
      maxIdleMs: pool.maxIdleMs ?? defaultPool.maxIdleMs,
      lanes: pool.lanes ?? false,
      pingMs: pool.pingMs ?? defaultPool.pingMs,
    },
    timeouts: Object.fromEntries(
      Object.entries(defaultTimeouts).map(([key, value]) => [key, timeouts[key as keyof TimeoutOptions] ?? value]),
    ) as Settings['timeouts'],
    recovery: resolveRecovery(options.recovery),
    network: { ...ownNetwork, proxy, fetch: options.fetch },
    chains: { maxBytes },
    onWarning,
    warned: new Set(),
    onEvent,
  };
}

function resolveRecovery(given: RecoveryOptions = {}): Settings['recovery'] {
  checkGroup('recovery', given);
  const {
    replay = 'unanswered',
    maxAttempts = defaultRecovery.maxAttempts,
    budgetMs = defaultRecovery.budgetMs,
    refusals = 'retry',
  } = given;
  if (replay !== 'never' && replay !== 'unsent' && replay !== 'unanswered')
    throw invalid(`recovery.replay must be "never", "unsent" or "unanswered", not ${show(replay)}`);
  if (refusals !== 'retry' && refusals !== 'surface')
    throw invalid(`recovery.refusals must be "retry" or "surface", not ${show(refusals)}`);
  if (!(Number.isInteger(maxAttempts) && maxAttempts >= 1))
    throw invalid(
      `recovery.maxAttempts must be a whole number from 1 on (1 never tries again), not ${show(maxAttempts)}`,
    );
  if (typeof budgetMs !== 'number' || !(budgetMs > 0))
    throw invalid(
      `recovery.budgetMs must be a number of milliseconds above 0 (Infinity for no limit), not ${show(budgetMs)}`,
    );
  return { replay, maxAttempts, budgetMs, refusals };
}

/** @throws TurnwireError `invalid_option` */
export function checkTurnOptions(options: unknown): void {
  checkTurnNames(options);
  const { signal } = options as { signal?: unknown };
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalid(`turn: signal must be an AbortSignal, not ${show(signal)}: give the signal of an AbortController`);
}

/** @throws TurnwireError `invalid_option` */
export function checkTransport(name: string, value: unknown): TransportChoice {
  if (value === 'auto' || value === 'websocket' || value === 'sse') return value;
  const guess =
    typeof value === 'string'
      ? (guesses.get(value.toLowerCase()) ?? nearest(value, ['auto', 'websocket', 'sse']))
      : undefined;
  throw invalid(
    `${name} must be "auto", "websocket" or "sse", not ${show(value)}${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
  );
}

const guesses: ReadonlyMap<string, TransportChoice> = new Map([
  ['auto', 'auto'],
  ['http', 'sse'],
  ['https', 'sse'],
  ['sse', 'sse'],
  ['stream', 'sse'],
  ['websocket', 'websocket'],
  ['websockets', 'websocket'],
  ['ws', 'websocket'],
  ['wss', 'websocket'],
]);

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

/** The endpoint of a relay in front of a provider: the relay gets the provider's query, and messages name the provider. */
function relayedBy(relay: string, provider: Endpoint): Endpoint {
  const base = new URL(endpointOf(relay, 'network.relay').url);
  base.search = provider.url.search;
  return { ...endpointOf(base.href, 'network.relay'), origin: provider.origin };
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
  const { headers } = options;
  if (!fromEnvironment || (typeof headers === 'object' && hasAuthorization(headers))) return undefined;
  const key = env['OPENAI_API_KEY'];
  if (key === undefined || key === '') {
    // Another identity may stand in the caller's own headers.
    if (headers !== undefined) return undefined;
    throw new TurnwireError(
      'missing_api_key',
      `no key: set OPENAI_API_KEY${key === '' ? ' (it is empty)' : ''}, or give apiKey to createClient`,
    );
  }
  const problem = keyProblem(key);
  if (problem !== undefined) throw invalid(`OPENAI_API_KEY ${problem}`);
  return key;
}

function hasAuthorization(headers: object): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

function checkIdentity({ headers, organization, project }: ClientOptions): void {
  if (headers !== undefined && typeof headers !== 'function') {
    checkIsObject('headers', headers);
    for (const [name, value] of Object.entries(headers)) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) throw invalid(problem);
    }
  }
  for (const [name, value] of Object.entries({ organization, project })) {
    const problem = value === undefined ? undefined : valueProblem(value);
    if (problem !== undefined) throw invalid(`${name} ${problem}`);
  }
}

function checkNetwork(network: NetworkOptions): void {
  checkIsObject('network', network);
  if ('viaFetch' in network)
    throw invalid('network.viaFetch is an option of createFetch: createClient takes the fetch itself, as fetch');
  checkGroup('network', network);
  const { ca, cert, key, proxy, lookup, allowPlaintext, relay } = network;
  for (const [name, value] of Object.entries({ ca, cert, key }))
    if (!isPem(value)) throw invalid(`network.${name} must be PEM text or a Buffer of it, not ${describeKind(value)}`);
  // The value may hold a password.
  if (proxy !== undefined && proxy !== false && typeof proxy !== 'string')
    throw invalid(`network.proxy must be an address, http://host:port, or false for none, not ${describeKind(proxy)}`);
  if (relay !== undefined && typeof relay !== 'string')
    throw invalid(`network.relay must be an address, http://host:port/v1, not ${describeKind(relay)}`);
  if (lookup !== undefined && typeof lookup !== 'function')
    throw invalid(`network.lookup must be a function like dns.lookup, not ${show(lookup)}`);
  if (allowPlaintext !== undefined && typeof allowPlaintext !== 'boolean')
    throw invalid(`network.allowPlaintext must be true or false, not ${show(allowPlaintext)}`);
}

/** Without TLS nothing leaves this machine, unless the caller says so (N20). */
function checkPlaintext(
  endpoint: Endpoint,
  name: string,
  proxy: Proxy | undefined,
  allowed: boolean | undefined,
): void {
  if (endpoint.secure || allowed === true) return;
  const remedy = 'use https:, or allow it with network.allowPlaintext: true';
  if (!isLoopback(endpoint.host))
    throw invalid(`${name} is http: to ${endpoint.host}, where key and content can be read on the way: ${remedy}`);
  if (proxy !== undefined && !isLoopback(proxy.host))
    throw invalid(
      `${name} is http: by the proxy ${proxy.origin}, where key and content can be read on the way: ${remedy}`,
    );
}

function ofEnvironment(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const value = nonEmpty(env[name]);
  const problem = value === undefined ? undefined : valueProblem(value);
  if (problem !== undefined) throw invalid(`${name} ${problem}`);
  return value;
}

function warnProcess(message: string): void {
  process.emitWarning(message, { type: 'TurnwireWarning' });
}

/** Whether a value has the type of a certificate or a key. TLS checks its content. */
function isPem(value: unknown): boolean {
  return (
    value === undefined ||
    (typeof value === 'string' && value.includes('-----BEGIN')) ||
    value instanceof Uint8Array ||
    (Array.isArray(value) && value.every(isPem))
  );
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : describeKind(value);
}

function invalid(message: string): TurnwireError {
  return new TurnwireError('invalid_option', message);
}
