import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from './access.js';

/** The largest head of a request, in bytes. Codex sends several kilobytes of metadata in headers. */
const maxHeaderSize = 64 * 1024;

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * An HTTP server that hands its upgrades to WebSocket to `onUpgrade` and serves every other request with its `request` listeners. A body that
 * waits for `100 Continue` is asked for only if the request may pass.
 */
export function createHttpServer(access: Access, onUpgrade: OnUpgrade): Server {
  const server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize });
  server.on('checkContinue', (request, response) => {
    if (access.refusal(request) === undefined) response.writeContinue();
    server.emit('request', request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') onUpgrade(request, socket, head);
    else serveWithoutUpgrade(server, request, socket, head);
  });
  return server;
}

const upgradeFields = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request as if it offered no upgrade, as RFC 9110 §7.8 allows: `curl --http2` and the HTTP client of Java offer `h2c` with ordinary
 * requests. Node.js takes the parser off the connection of such a request. So its head is written back without the offer, for the server to
 * read the connection again from there.
 */
function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method = '', url = '', httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (const [index, name] of rawHeaders.entries()) {
    if (index % 2 === 1 || upgradeFields.has(name.toLowerCase())) continue;
    const value = rawHeaders[index + 1] ?? '';
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOffer(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/** The options of a `Connection` header that do not belong to the offer. */
function withoutOffer(options: string): string {
  const kept = options.split(/\s*,\s*/).filter((each) => !upgradeFields.has(each.trim().toLowerCase()));
  return kept.join(', ');
}
