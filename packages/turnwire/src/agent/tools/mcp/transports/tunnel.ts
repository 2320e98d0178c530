import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Socket } from 'node:net';
import type { ProxyAddress } from '@turnwire/client/proxy';
import { causeOf } from '../failure.js';

/**
 * A connection to a server through an HTTP proxy (CONNECT).
 *
 * @throws Error that names the proxy without its credentials
 */
export function tunnel({ url, authorization }: ProxyAddress, authority: string, limitMs: number): Promise<Socket> {
  const failed = (why: string): Error => new Error(`the proxy ${url} ${why}`);
  const { protocol, hostname, port } = new URL(url);
  const request = (protocol === 'https:' ? requestSecure : requestPlain)({
    method: 'CONNECT',
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    path: authority,
    headers: { host: authority, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
    agent: false,
    timeout: limitMs,
  });
  return new Promise((resolve, reject) => {
    request.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      socket.setTimeout(0);
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        reject(failed(`refuses a tunnel to ${authority} (status ${statusCode})`));
        return;
      }
      // Bytes that came in the same piece as the proxy's answer are the server's.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${limitMs / 1000} seconds`)));
    request.once('error', (error) => reject(failed(`cannot be used: ${causeOf(error)}`)));
    request.end();
  });
}
