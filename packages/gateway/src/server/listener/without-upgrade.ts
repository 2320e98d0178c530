import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Serves a request that offers another upgrade than the one to WebSocket as if it offered none, which RFC 9110 §7.8 allows: curl and Java's client offer
 * `h2c` with ordinary requests. Node gives such a request to `upgrade` listeners without its body. So this writes the head anew, and lets the server parse
 * the connection once more.
 */
export function withoutUpgrade(server: EventEmitter, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    const kept = /^connection$/i.test(name)
      ? tokens(value)
          .filter((one) => !/^(?:upgrade|http2-settings)$/i.test(one))
          .join(', ')
      : value;
    if (kept !== '' || value === '') lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}

function tokens(list: string): string[] {
  return list.split(',').map((one) => one.trim());
}
