import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bounds on reading from a client that was answered and still sends. The bytes are thrown away. */
const lingering = {
  bytes: 64 * 1024 * 1024,
  /** In all. */
  ms: 10_000,
  /** Without a byte. */
  silenceMs: 2000,
  /** How often the bounds are checked. */
  checkMs: 250,
} as const;

/** The rest of a body of this size, in bytes, is read, so that the connection can serve the next request. */
const smallBody = 64 * 1024;

const closing = new WeakSet<Duplex>();

/** True for a connection that was answered for the last time. */
export function isClosing(socket: Duplex): boolean {
  return closing.has(socket);
}

/**
 * Ends a connection on which the client may still be sending. A socket that is closed with bytes unread resets the connection: the client, or a proxy before
 * it, then loses the answer (RFC 9112 §9.6). So the answer is ended, and the socket is closed once the client has seen that, or at the bounds above.
 *
 * @param socket a socket to which the whole answer has been written
 * @param read sets what the client sends flowing
 */
export function closeLingering(socket: Socket, read: () => void): void {
  if (closing.has(socket)) return;
  closing.add(socket);
  socket.on('error', () => socket.destroy());
  socket.end();
  read();
  const begun = performance.now();
  const before = socket.bytesRead;
  let seen = { bytes: before, at: begun };
  const timer = setInterval(() => {
    const bytes = socket.bytesRead;
    const now = performance.now();
    if (bytes !== seen.bytes) seen = { bytes, at: now };
    const isOver =
      bytes - before > lingering.bytes || now - begun >= lingering.ms || now - seen.at >= lingering.silenceMs;
    if (isOver) socket.destroy();
  }, lingering.checkMs);
  socket.once('close', () => clearInterval(timer));
}

/**
 * Says `connection: close` in an answer that is given before its request has come whole, unless the rest is small. A client that waits for `100 Continue` and
 * gets its answer may send the body or leave it out, so its connection cannot serve another request.
 */
export function announceClose(response: ServerResponse): void {
  const { req: request, headersSent } = response;
  if (request.complete || headersSent) return;
  const { 'content-length': length, expect } = request.headers;
  if (expect === undefined && Number(length ?? Infinity) <= smallBody) return;
  response.setHeader('connection', 'close');
}

/** Makes Node close the connection of this answer lingering, where the request has not come whole. Call it before the answer begins. */
export function lingerAfter(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  // Listeners are called in their order, and Node's own, which closes the connection by `destroySoon`, is there already.
  response.prependOnceListener('finish', () => {
    if (request.complete) return;
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (request.complete) return destroySoon();
      request.once('end', destroySoon);
      closeLingering(socket, () => request.resume());
    };
  });
}
