import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { tcpOf } from './tls.js';

/**
 * Resets a TCP connection. `resetAndDestroy` of Node.js sends a FIN before the reset, so the other side reads an orderly end. The internal
 * flag that this method sets, together with `destroy`, sends the reset alone. In two cases the connection just ends: if a version of Node.js
 * does not know the flag, and while a FIN is being sent, when libuv refuses a reset and Node.js would never emit `close`.
 */
export function reset(socket: Duplex): void {
  const tcp = tcpOf(socket);
  const isEnding = tcp.writableEnded && !tcp.writableFinished;
  if (tcp instanceof Socket && !isEnding) Object.assign(tcp, { resetAndClosing: true });
  tcp.destroy();
  socket.destroy();
}
