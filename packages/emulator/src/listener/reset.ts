import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { tcpOf } from './tls.js';

/**
 * Resets a TCP connection. `resetAndDestroy` of Node ends it first, so that the other side reads an orderly end; the flag
 * it sets for itself, with `destroy`, sends the reset alone. Where a Node does not know the flag, the connection just ends;
 * so it does while its FIN is on its way: libuv refuses to reset it then, and Node would never say that it has closed.
 */
export function reset(socket: Duplex): void {
  const tcp = tcpOf(socket);
  const isEnding = tcp.writableEnded && !tcp.writableFinished;
  if (tcp instanceof Socket && !isEnding) Object.assign(tcp, { resetAndClosing: true });
  tcp.destroy();
  socket.destroy();
}
