import { createHmac, randomBytes } from 'node:crypto';
import { systemClock } from '../base/clock.js';
import { Secrets } from '../protocol/errors/secrets.js';
import { plainConnect, secureConnect } from './connect/connect.js';
import { bareHost, isLoopback } from './connect/loopback.js';
import { loopbackLookup, safeLookup } from './connect/lookup.js';
import { FetchConnections } from './post/fetch-connections.js';
import { KeepAliveConnections } from './post/keep-alive-connections.js';
import { tunnel } from './connect/tunnel.js';
import type { Clock } from '../base/clock.js';
import type { Connect } from './connect/connect.js';
import type { Endpoint } from './endpoint.js';
import type { IdentityHeaders } from './identity-headers.js';
import type { PostConnections } from './post/post.js';
import type { Proxy } from './connect/proxy.js';
import type { NetworkOptions } from '../options.js';

/**
 * How bytes leave: one configuration, from which both transports take their connections, so that a fallback never goes by another
 * way than the WebSocket did (K4).
 */
export interface Network {
  endpoint: Endpoint;
  identityHeaders: IdentityHeaders;
  /** What went into the handshakes so far. */
  secrets: Secrets;
  /** The endpoint and the way to it, for people: `https://host through the proxy http://proxy:3128`. */
  route: string;
  /** A connection of one's own, for a WebSocket. */
  connect: Connect;
  /** Those of POSTs. */
  connections: PostConnections;
  /** POSTs go by a fetch of the caller's: another connection is not ours to dial. */
  usesFetch: boolean;
  /**
   * A fingerprint of what went into a handshake: two connections whose fingerprints differ were dialled with different credentials (H4, N3).
   * Tells nothing of them, and is of use within this process only.
   */
  identityOf: (headers: Readonly<Record<string, string>>) => string;
  /** Ends what is kept. */
  destroy(): void;
}

/** `NetworkOptions`, with the proxy found. */
export interface NetworkSettings extends Pick<NetworkOptions, 'ca' | 'cert' | 'key' | 'lookup' | 'allowPlaintext'> {
  proxy?: Proxy | undefined;
  /** For POSTs; a WebSocket has its own way. */
  fetch?: typeof globalThis.fetch | undefined;
}

export function createNetwork(
  endpoint: Endpoint,
  handshake: IdentityHeaders,
  settings: NetworkSettings = {},
  clock: Clock = systemClock,
): Network {
  const { proxy, fetch } = settings;
  const connect = connectOf(endpoint, settings);
  const secrets = new Secrets();
  const route = proxy === undefined ? endpoint.origin : `${endpoint.origin} through the proxy ${proxy.origin}`;
  const connections =
    fetch === undefined ? new KeepAliveConnections(connect, clock) : new FetchConnections(fetch, endpoint.origin);
  return {
    endpoint,
    identityHeaders: async (signal) => {
      const headers = await handshake(signal);
      secrets.add(headers);
      return headers;
    },
    secrets,
    route,
    usesFetch: fetch !== undefined,
    connect,
    connections,
    identityOf: identification(),
    destroy: () => connections.destroy(),
  };
}

function connectOf(endpoint: Endpoint, settings: NetworkSettings): Connect {
  const { proxy, ca, cert, key } = settings;
  const lookup = lookupOf(endpoint, settings);
  const target = { host: bareHost(endpoint.host), port: endpoint.port };
  // There is no other way out: when the tunnel cannot be had, there is no connection (A10).
  const through = proxy === undefined ? undefined : tunnel(proxy, target, { ca, lookup });
  if (endpoint.secure) return secureConnect({ ...target, lookup }, { ca, cert, key }, through);
  return through ?? plainConnect({ ...target, lookup });
}

function lookupOf(endpoint: Endpoint, { proxy, lookup, allowPlaintext }: NetworkSettings): NetworkOptions['lookup'] {
  const own = lookup === undefined ? undefined : safeLookup(lookup);
  const trusted = !endpoint.secure && allowPlaintext !== true && isLoopback((proxy ?? endpoint).host);
  return trusted ? loopbackLookup(own) : own;
}

// With a key that nobody has, a fingerprint cannot be tried against guesses of what it stands for.
const fingerprintKey = randomBytes(32);

function identification(): Network['identityOf'] {
  // As a rule all connections of a client have the same headers: an HMAC for each took a tenth of the time in which it was opened.
  let last = { text: '', identity: '' };
  return (headers) => {
    const text = JSON.stringify(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (text !== last.text) last = { text, identity: createHmac('sha256', fingerprintKey).update(text).digest('hex') };
    return last.identity;
  };
}
