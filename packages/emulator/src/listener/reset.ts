import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Resets a TCP connection. `resetAndDestroy` of Node ends it first, so that the other side reads an orderly end; the flag
 * it sets for itself, with `destroy`, sends the reset alone. Where a Node does not know the flag, the connection just ends.
 */
export function reset(socket: Duplex): void {
  if (socket instanceof Socket) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}
