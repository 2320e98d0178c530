import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openWithSharedBuffer } from './shared-read-buffer.js';
import type { LookupFunction, OnReadOpts, Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';

/**
 * Opens a connection, ready to be written to: with TLS done, where there is TLS. Has no limit of its own in time: `signal` ends it, and is
 * what it rejects with then.
 */
export type Connect = (signal: AbortSignal) => Promise<Socket>;

/** Where to, without brackets around an IPv6 address; and how its name is found. */
export interface Target {
  host: string;
  port: number;
  lookup?: LookupFunction | undefined;
}

/** Certificates of the target: `ca` in place of those that Node trusts, `cert` and `key` where it asks for one of ours. */
export type Certificates = Pick<TlsOptions, 'ca' | 'cert' | 'key'>;

export function plainConnect({ host, port, lookup }: Target): Connect {
  // Both families are tried, the next soon after the last (A7), whatever Node was told on its command line.
  const options = { host, port, autoSelectFamily: true, ...(lookup === undefined ? {} : { lookup }) };
  return (signal) =>
    whenConnected('connect', (onread) => connectTcp({ ...options, ...withoutUndefined({ onread }) }), signal);
}

/** `through`: what TLS is spoken inside of, where that is not a TCP connection to the target. */
export function secureConnect({ host, port, lookup }: Target, certificates: Certificates, through?: Connect): Connect {
  const tls: TlsOptions = {
    ...withoutUndefined(certificates),
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
  };
  const tcp = { host, port, autoSelectFamily: true, ...(lookup === undefined ? {} : { lookup }) };
  /** Of the last connection: the next one need not exchange certificates again. */
  let session: Buffer | undefined;
  return async (signal) => {
    const tunnel = await through?.(signal);
    const open = (onread: OnReadOpts | undefined): Socket => {
      const socket = connectTls({
        ...tls,
        ...(tunnel === undefined ? tcp : { host, socket: tunnel }),
        // Missing in the types.
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

/** When a connection rests, for tools may run for minutes, TCP begins to probe after this long, in milliseconds. */
const tcpKeepAliveMs = 30_000;

async function whenConnected(
  event: 'connect' | 'secureConnect',
  open: (onread: OnReadOpts | undefined) => Socket,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = openWithSharedBuffer(open);
  // Stays: between two owners an error would find nobody else, and end the process (I5, I6).
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
