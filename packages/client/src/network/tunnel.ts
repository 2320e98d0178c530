import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { TurnwireError } from '../protocol/errors.js';
import { maxProxyHeadBytes } from '../protocol/limits.js';
import { proxyFailure, proxyRefusal } from './failure.js';
import type { LookupFunction, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Proxy } from './proxy.js';

export interface TunnelOptions {
  /** For the proxy itself, where it is spoken to over TLS. The client certificate is for the target, and not shown to it. */
  ca: SecureContextOptions['ca'];
  /** Finds the proxy; the target is for the proxy to find. */
  lookup: LookupFunction | undefined;
}

/**
 * Opens a tunnel: connects to the proxy, asks for the target by CONNECT, and gives the connection back as the target's. What came in the
 * same piece as the proxy's answer is the first to be read from it (A11).
 *
 * Ours, because the libraries for it accept no other success than 200 and drop those bytes. Has no limit of its own in time: `abandoned`
 * ends it.
 *
 * @throws TurnwireError `proxy_failed`; or what `abandoned` was aborted with.
 */
export async function openTunnel(
  proxy: Proxy,
  target: { host: string; port: number },
  { ca, lookup }: TunnelOptions,
  abandoned: AbortSignal,
): Promise<Socket> {
  abandoned.throwIfAborted();
  const { host, port } = proxy;
  const where = { host, port, autoSelectFamily: true, ...(lookup === undefined ? {} : { lookup }) };
  const socket = proxy.secure
    ? connectTls({ ...where, servername: isIP(host) === 0 ? host : '', ...(ca === undefined ? {} : { ca }) })
    : connectTcp(where);
  // Stays: between two owners an error would find nobody else, and end the process.
  socket.on('error', () => {});
  const onAbandoned = (): void => void socket.destroy();
  abandoned.addEventListener('abort', onAbandoned, { once: true });
  try {
    await once(socket, proxy.secure ? 'secureConnect' : 'connect', { signal: abandoned });
    socket.setNoDelay(true);
    const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`;
    const credentials = proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
    const status = await readReply(socket);
    if (status < 200 || status > 299) throw proxyRefusal(proxy, authority, status);
    return socket;
  } catch (error) {
    socket.destroy();
    abandoned.throwIfAborted();
    throw error instanceof TurnwireError ? error : proxyFailure(proxy, error);
  } finally {
    abandoned.removeEventListener('abort', onAbandoned);
  }
}

/** Reads the head of the answer, in however many pieces, and nothing after it; its status. */
function readReply(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0);
    const leave = (): void => {
      socket.removeListener('readable', onReadable);
      socket.removeListener('error', onError);
      socket.removeListener('end', onEnd);
      socket.removeListener('close', onEnd);
    };
    const onError = (error: Error): void => {
      leave();
      reject(error);
    };
    const onEnd = (): void => onError(new Error('it hung up without an answer to CONNECT'));
    const onReadable = (): void => {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1 && head.length <= maxProxyHeadBytes) continue;
        const status = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/.exec(
          head.subarray(0, head.indexOf('\r\n')).toString('latin1'),
        )?.[1];
        if (end === -1) return onError(new Error(`its answer to CONNECT has no end within ${maxProxyHeadBytes} bytes`));
        if (status === undefined) return onError(new Error('its answer to CONNECT is not HTTP'));
        leave();
        if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
        return resolve(Number(status));
      }
    };
    socket.on('readable', onReadable);
    socket.once('error', onError);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    onReadable();
  });
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
