import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../wire/refusal.js';

/** Answers an upgrade with a refusal, and ends the connection. */
export function endWithRefusal(socket: Duplex, refusal: Refusal): void {
  const body = refusal.body();
  const headers = {
    'content-type': 'application/json',
    ...refusal.headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
