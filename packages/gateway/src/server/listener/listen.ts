import { unbracketed } from '../../base/loopback.js';
import { GatewayConfigError } from '../../config/problem.js';
import type { Server } from 'node:net';

/**
 * Resolves with the port once the server listens.
 *
 * @throws GatewayConfigError for an address that cannot be had.
 */
export function listenAt(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? 'is taken: choose another port, or 0 for any free one'
          : `cannot be listened on (${cause.code}): choose an address of this machine, and a port that you may use`;
      reject(
        new GatewayConfigError([{ file: 'the gateway', path: '', message: `the address ${host}:${port} ${why}` }], {
          cause,
        }),
      );
    });
    server.listen(port, unbracketed(host), () => {
      server.removeAllListeners('error');
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** An address at which this machine reaches a server that listens on `host`. */
export function reachable(host: string): string {
  const bare = unbracketed(host);
  if (bare === '0.0.0.0') return '127.0.0.1';
  if (bare === '::') return '[::1]';
  return bare.includes(':') ? `[${bare}]` : bare;
}
