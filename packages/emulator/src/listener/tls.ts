import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { EmulatorError } from '../base/errors.js';
import type { TlsOptions } from './options.js';
import { messageOf } from '../base/thrown.js';

/** The TCP connection under each TLS socket. A reset has to reach it. */
const connections = new WeakMap<object, Socket>();

/** The TCP connection under a TLS socket; any other socket itself. */
export function tcpOf<T extends object>(socket: T): T | Socket {
  return connections.get(socket) ?? socket;
}

/** The server that listens: one that puts TLS before `http`, or `http` itself without TLS. @throws EmulatorError for a wrong key or certificate */
export function listenerOf(http: HttpServer, tls: TlsOptions | undefined): Server {
  if (tls === undefined) return http;
  const secureContext = secureContextOf(tls);
  return createServer((tcp) => {
    const socket = new TLSSocket(tcp, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    connections.set(socket, tcp);
    http.emit('connection', socket);
  });
}

function secureContextOf(tls: TlsOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(tls);
  } catch (error) {
    const why = messageOf(error);
    const message = `The emulator's option "tls" is not valid: ${why}. Give "cert" and "key" as PEM, of the same pair.`;
    throw new EmulatorError('invalid_option', message, { cause: error });
  }
}
