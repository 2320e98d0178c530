import { maxHeadBytes } from '../../base/bounds.js';
import { isIP } from 'node:net';
import { onAbort } from '../../base/abort.js';
import { encodeRequestHead } from '../../http/head.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { plainConnect, secureConnect } from './connect.js';
import { proxyFailure, proxyRefusal } from '../failure.js';
import { readHead } from './read-head.js';
import type { Socket } from 'node:net';
import type { Certificates, Connect, Target } from './connect.js';
import type { Proxy } from './proxy.js';

export interface TunnelOptions {
  /** Authorities for a proxy with TLS. The client's certificate is for the target, and not shown to the proxy. */
  ca: Certificates['ca'];
  /** Finds the proxy. The proxy finds the target. */
  lookup: Target['lookup'];
}

/**
 * Opens a tunnel through a proxy by CONNECT. Bytes that came in one piece with the proxy's response are the first to be read (A11).
 *
 * The implementation is this client's own: libraries accept no other success than 200, and drop those bytes. Rejects with `proxy_failed`, or with the reason
 * of `signal`.
 */
export function tunnel(proxy: Proxy, target: Target, { ca, lookup }: TunnelOptions): Connect {
  const where = { host: proxy.host, port: proxy.port, lookup };
  const connect = proxy.secure ? secureConnect(where, { ca }) : plainConnect(where);
  const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`;
  const credentials = proxy.authorization === undefined ? {} : { 'Proxy-Authorization': proxy.authorization };
  const request = encodeRequestHead('CONNECT', authority, { Host: authority, ...credentials });
  return async (signal) => {
    let socket: Socket | undefined;
    const release = onAbort(signal, () => socket?.destroy());
    try {
      socket = await connect(signal);
      socket.write(request);
      const { status } = await readHead(socket, 'CONNECT', maxHeadBytes);
      if (status < 200 || status > 299) throw proxyRefusal(proxy, authority, status);
      return socket;
    } catch (error) {
      socket?.destroy();
      signal.throwIfAborted();
      throw error instanceof TurnwireError ? error : proxyFailure(proxy, error);
    } finally {
      release();
    }
  };
}
