import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { EmulatorError } from '../base/errors.js';

/** What a server shows its clients over TLS: certificate and private key, both in PEM. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
}

/** The TCP connection below each TLS one: what a reset has to reach. */
const connections = new WeakMap<object, Socket>();

/** The TCP connection that a socket has below itself, or is. */
export function tcpOf<T extends object>(socket: T): T | Socket {
  return connections.get(socket) ?? socket;
}

/** The server that listens in place of `http`, with TLS before it; `http` itself without. @throws EmulatorError for a wrong key or certificate */
export function listenerOf(http: HttpServer, tls: TlsOptions | undefined): Server {
  if (tls === undefined) return http;
  const secureContext = contextOf(tls);
  return createServer((tcp) => {
    const socket = new TLSSocket(tcp, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    connections.set(socket, tcp);
    http.emit('connection', socket);
  });
}

function contextOf(tls: TlsOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(tls);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The emulator's option "tls" is not valid: ${why}. Give "cert" and "key" as PEM, of the same pair.`;
    throw new EmulatorError('invalid_option', message, { cause: error });
  }
}
