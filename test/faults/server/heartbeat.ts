import { frame, opcodes } from './frame.js';
import type { Peer } from './peer.js';

export interface HeartbeatOptions {
  everyMs: number;
  /** Closes with 1011, as servers do (P67), when no pong came for this long. @default never */
  closeAfterMs?: number;
}

/** Pings of the server's own, and what it does to a client that does not answer them. Ends with the connection. */
export function pingEvery(peer: Peer, { everyMs, closeAfterMs = Infinity }: HeartbeatOptions): void {
  let heard = performance.now();
  let pongs = 0;
  const timer = setInterval(() => {
    const count = peer.control.filter((opcode) => opcode === opcodes.pong).length;
    if (count > pongs) heard = performance.now();
    pongs = count;
    if (performance.now() - heard > closeAfterMs) {
      clearInterval(timer);
      return peer.close(1011, 'keepalive ping timeout');
    }
    peer.raw(frame('alive?', { opcode: opcodes.ping }));
  }, everyMs);
  void peer.ended.then(() => clearInterval(timer));
}
