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

/** How bytes leave: one configuration for both transports, so that a fallback takes the same way as the WebSocket (K4). */
export interface Network {
  endpoint: Endpoint;
  identityHeaders: IdentityHeaders;
  /** The credentials of all handshakes so far. */
  secrets: Secrets;
  /** The endpoint and the way to it, for messages: `https://host through the proxy http://proxy:3128`. */
  route: string;
  /** Opens a connection, for a WebSocket. */
  connect: Connect;
  /** The connections of POSTs. */
  connections: PostConnections;
  /** POSTs go by a fetch of the caller, which has connections and retries of its own. */
  usesFetch: boolean;
  /**
   * A fingerprint of the headers of a handshake: connections with different fingerprints were dialled with different credentials (H4, N3). It reveals
   * nothing of them, and is of use within this process only.
   */
  identityOf: (headers: Readonly<Record<string, string>>) => string;
  /** Ends the kept connections. */
  destroy(): void;
}

/** `NetworkOptions`, with the proxy found. */
export interface NetworkSettings extends Pick<NetworkOptions, 'ca' | 'cert' | 'key' | 'lookup' | 'allowPlaintext'> {
  proxy?: Proxy | undefined;
  /** Sends POSTs; a WebSocket does not use it. */
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
  // The proxy is never bypassed: without the tunnel there is no connection (A10).
  const through = proxy === undefined ? undefined : tunnel(proxy, target, { ca, lookup });
  if (endpoint.secure) return secureConnect({ ...target, lookup }, { ca, cert, key }, through);
  return through ?? plainConnect({ ...target, lookup });
}

function lookupOf(endpoint: Endpoint, { proxy, lookup, allowPlaintext }: NetworkSettings): NetworkOptions['lookup'] {
  const own = lookup === undefined ? undefined : safeLookup(lookup);
  const trusted = !endpoint.secure && allowPlaintext !== true && isLoopback((proxy ?? endpoint).host);
  return trusted ? loopbackLookup(own) : own;
}

// With a random key, a fingerprint cannot be compared with guesses of the credentials.
const fingerprintKey = randomBytes(32);

function identification(): Network['identityOf'] {
  // All connections of a client usually have the same headers: the last fingerprint is kept.
  let last = { text: '', identity: '' };
  return (headers) => {
    const text = JSON.stringify(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (text !== last.text) last = { text, identity: createHmac('sha256', fingerprintKey).update(text).digest('hex') };
    return last.identity;
  };
}
