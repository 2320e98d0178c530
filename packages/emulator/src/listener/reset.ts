import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { tcpOf } from './secure.js';

/**
 * Resets a TCP connection. `resetAndDestroy` of Node ends it first, so that the other side reads an orderly end; the flag
 * it sets for itself, with `destroy`, sends the reset alone. Where a Node does not know the flag, the connection just ends.
 */
export function reset(socket: Duplex): void {
  const tcp = tcpOf(socket);
  if (tcp instanceof Socket) Object.assign(tcp, { resetAndClosing: true });
  tcp.destroy();
  socket.destroy();
}
