import { tcpKeepAliveMs } from '../../base/bounds.js';
import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { builtin } from '../../base/builtin.js';
import { openWithSharedBuffer } from './shared-read-buffer.js';
import type { LookupFunction, OnReadOpts, Socket } from 'node:net';
import type * as nodeTls from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';

/** Opens a connection, including TLS. It has no time-out: `signal` ends it, and its reason is the rejection. */
export type Connect = (signal: AbortSignal) => Promise<Socket>;

/** The host, without brackets around an IPv6 address, its port, and the lookup of its name. */
export interface Target {
  host: string;
  port: number;
  lookup?: LookupFunction | undefined;
}

/** `ca` replaces the authorities that Node trusts; `cert` and `key` are the client's certificate. */
export type Certificates = Pick<TlsOptions, 'ca' | 'cert' | 'key'>;

export function plainConnect({ host, port, lookup }: Target): Connect {
  // IPv6 and IPv4 are both tried (A7), whatever the options of Node's command line.
  const options = { host, port, autoSelectFamily: true, ...(lookup === undefined ? {} : { lookup }) };
  return (signal) =>
    whenConnected('connect', (onread) => connectTcp({ ...options, ...withoutUndefined({ onread }) }), signal);
}

/** @param through opens the connection in which TLS is spoken; by default a TCP connection to the target. */
export function secureConnect({ host, port, lookup }: Target, certificates: Certificates, through?: Connect): Connect {
  const tls: TlsOptions = {
    ...withoutUndefined(certificates),
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
  };
  const tcp = { host, port, autoSelectFamily: true, ...(lookup === undefined ? {} : { lookup }) };
  /** The TLS session of the last connection, which the next one resumes. */
  let session: Buffer | undefined;
  return async (signal) => {
    const tunnel = await through?.(signal);
    // A sixth of the time of an import, and nothing that a connection without TLS needs.
    const { connect: connectTls } = builtin('node:tls') as typeof nodeTls;
    const open = (onread: OnReadOpts | undefined): Socket => {
      const socket = connectTls({
        ...tls,
        ...(tunnel === undefined ? tcp : { host, socket: tunnel }),
        // Node's types lack `onread`.
        ...withoutUndefined({ session, onread }),
      });
      socket.on('session', (given) => {
        session = given;
      });
      socket.once('close', (failed) => {
        if (failed) session = undefined;
      });
      return socket;
    };
    try {
      return await whenConnected('secureConnect', open, signal);
    } catch (error) {
      tunnel?.destroy();
      throw error;
    }
  };
}

async function whenConnected(
  event: 'connect' | 'secureConnect',
  open: (onread: OnReadOpts | undefined) => Socket,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = openWithSharedBuffer(open);
  // Stays for the life of the socket: without a listener an error would end the process (I5, I6).
  socket.on('error', () => {});
  try {
    await once(socket, event, { signal: signal });
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, tcpKeepAliveMs);
  return socket;
}

function withoutUndefined<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
