import { createHmac, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { SecureTunnelAgent, TunnelAgent } from './agent.js';
import { bareHost, isLoopback } from './loopback.js';
import { loopbackLookup, safeLookup } from './lookup.js';
import { HttpAgent, HttpsAgent } from './node-http.js';
import type { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import type { Endpoint } from './endpoint.js';
import type { Handshake } from './handshake.js';
import type { Proxy } from './proxy.js';
import type { NetworkOptions } from '../options.js';

/**
 * How bytes leave: one configuration, from which both transports take their connections, so that a fallback never goes by another
 * way than the WebSocket did (K4).
 */
export interface Network {
  endpoint: Endpoint;
  handshake: Handshake;
  /** The endpoint and the way to it, for people: `https://host through the proxy http://proxy:3128`. */
  route: string;
  /** Keeps the connections of POSTs for the next turn. */
  agent: Agent;
  /** A connection for one use: a WebSocket's, or that of a POST which must not meet a dead one. */
  singleUseAgent: Agent;
  /**
   * A fingerprint of what went into a handshake: two connections whose fingerprints differ were dialled with different credentials (H4, N3).
   * Tells nothing of them, and is of use within this process only.
   */
  identityOf: (headers: Readonly<Record<string, string>>) => string;
  /** Ends what the agents keep. */
  destroy(): void;
}

/** `NetworkOptions`, with the proxy found. */
export interface NetworkSettings extends Pick<NetworkOptions, 'ca' | 'cert' | 'key' | 'lookup' | 'allowPlaintext'> {
  proxy?: Proxy | undefined;
}

export function createNetwork(endpoint: Endpoint, handshake: Handshake, settings: NetworkSettings = {}): Network {
  const { proxy } = settings;
  // Tools run for minutes between two turns: TCP keeps an eye on the connection meanwhile. Node lets an idle one go in time when the
  // server announces its own limit.
  const agent = agentOf(endpoint, settings, { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, maxFreeSockets: 32 });
  const singleUseAgent = agentOf(endpoint, settings, { keepAlive: false });
  return {
    endpoint,
    handshake,
    route: proxy === undefined ? endpoint.origin : `${endpoint.origin} through the proxy ${proxy.origin}`,
    agent,
    singleUseAgent,
    identityOf,
    destroy: () => {
      agent.destroy();
      singleUseAgent.destroy();
    },
  };
}

/** When a connection rests, TCP begins to probe after this long, in milliseconds. */
export const tcpKeepAliveMs = 30_000;

function agentOf(endpoint: Endpoint, settings: NetworkSettings, own: AgentOptions): Agent {
  const { proxy, ca, cert, key } = settings;
  const lookup = lookupOf(endpoint, settings);
  const options: AgentOptions = { ...own };
  if (endpoint.secure) {
    const host = bareHost(endpoint.host);
    // Not what a Host header says: the certificate has to be the endpoint's.
    Object.assign(options, { servername: isIP(host) === 0 ? host : '' });
    if (ca !== undefined) options.ca = ca;
    if (cert !== undefined) options.cert = cert;
    if (key !== undefined) options.key = key;
  }
  if (proxy !== undefined) {
    const Tunnelled = endpoint.secure ? SecureTunnelAgent : TunnelAgent;
    return new Tunnelled(proxy, { ca, lookup }, options);
  }
  // Both families are tried, the next soon after the last (A7), whatever Node was told on its command line.
  Object.assign(options, { autoSelectFamily: true }, lookup === undefined ? {} : { lookup });
  return endpoint.secure ? new HttpsAgent(options) : new HttpAgent(options);
}

function lookupOf(endpoint: Endpoint, { proxy, lookup, allowPlaintext }: NetworkSettings): NetworkOptions['lookup'] {
  const own = lookup === undefined ? undefined : safeLookup(lookup);
  const trusted = !endpoint.secure && allowPlaintext !== true && isLoopback((proxy ?? endpoint).host);
  return trusted ? loopbackLookup(own) : own;
}

// With a key that nobody has, a fingerprint cannot be tried against guesses of what it stands for.
const fingerprintKey = randomBytes(32);

function identityOf(headers: Readonly<Record<string, string>>): string {
  const entries = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', fingerprintKey).update(JSON.stringify(entries)).digest('hex');
}
