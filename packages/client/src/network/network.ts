import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Endpoint } from './endpoint.js';
import type { Handshake } from './handshake.js';
import type { NetworkOptions } from '../options.js';

/**
 * How bytes leave: one configuration, from which both transports take their connections, so that a fallback never goes by another
 * way than the WebSocket did (K4).
 */
export interface Network {
  endpoint: Endpoint;
  handshake: Handshake;
  /** For TLS, of either transport. */
  tls: NetworkOptions;
  /** Keeps the connections of POSTs for the next turn. */
  agent: HttpAgent | HttpsAgent;
  /** Ends what the agent keeps. */
  destroy(): void;
}

export function createNetwork(endpoint: Endpoint, handshake: Handshake, options: NetworkOptions = {}): Network {
  const { ca, cert, key } = options;
  const tls: NetworkOptions = {};
  if (ca !== undefined) tls.ca = ca;
  if (cert !== undefined) tls.cert = cert;
  if (key !== undefined) tls.key = key;
  // Tools run for minutes between two turns: TCP keeps an eye on the connection meanwhile. Node lets an idle one go in time when the
  // server announces its own limit.
  const kept = { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, maxFreeSockets: 32 };
  const agent = endpoint.secure ? new HttpsAgent({ ...kept, ...tls }) : new HttpAgent(kept);
  return { endpoint, handshake, tls, agent, destroy: () => agent.destroy() };
}

/** When a connection rests, TCP begins to probe after this long, in milliseconds. */
export const tcpKeepAliveMs = 30_000;
