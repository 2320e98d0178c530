import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData, type WebSocketServer } from 'ws';
import { Refusal } from '../wire/refusal.js';
import { reset } from '../listener/reset.js';
import { binaryText, bodyText, decodedText } from './body-text.js';
import type { Relay } from './http-relay.js';
import { upstreamField, forwardedHeaders } from './upstream.js';

/** While one side has more unsent bytes than this, the other side is not read. */
const highWaterBytes = 1024 * 1024;
const handshakeMs = 30_000;
/** The headers of a 101 that belong to one handshake and are not passed on. */
const handshakeHeaders = /^(sec-websocket-.+|date|server|content-length)$/;

/** An upgrade as Node.js hands it over. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Passes one upgrade to the upstream and, if the upstream opens a socket, messages, pings and closes in both directions. The client's
 * handshake is answered when the upstream has answered: with the same headers, or with the same refusal.
 */
export function relayWebSocket(
  { upstream, writer, redaction }: Relay,
  server: WebSocketServer,
  { request, socket, head }: Upgrade,
): void {
  const { url, path } = upstream.target(request);
  redaction.learn(request.headers, url);
  const write = writer.openExchange();
  write({
    kind: 'upgrade',
    ...upstreamField(upstream),
    path: redaction.path(url, path),
    headers: redaction.headers(request.headers),
  });

  const target = new URL(url);
  target.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const headers = Object.fromEntries(
    Object.entries(forwardedHeaders(request.headers)).filter(([name]) => !name.startsWith('sec-websocket-')),
  );
  const protocols = request.headers['sec-websocket-protocol']?.split(/\s*,\s*/) ?? [];
  const upstreamSocket = new WebSocket(target, protocols, {
    headers,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: 0,
    handshakeTimeout: handshakeMs,
    followRedirects: false,
  });
  const onClientGone = () => upstreamSocket.terminate();
  socket.once('close', onClientGone);
  socket.on('error', () => socket.destroy());
  let answered: Record<string, string | string[]> = {};

  // ws does not report a reset, so the TCP sockets are watched.
  let upstreamWasReset = false;
  let clientWasReset = false;
  socket.on('error', (error: NodeJS.ErrnoException) => void (clientWasReset = error.code === 'ECONNRESET'));
  upstreamSocket.once('upgrade', (answer) => {
    answer.socket.on('error', (error: NodeJS.ErrnoException) => void (upstreamWasReset = error.code === 'ECONNRESET'));
    redaction.learn(answer.headers);
    write({ kind: 'answer', status: 101, headers: redaction.headers(answer.headers) });
    answered = forwardedHeaders(answer.headers);
  });
  upstreamSocket.once('unexpected-response', (_, answer) => {
    redaction.learn(answer.headers);
    write({ kind: 'answer', status: answer.statusCode ?? 0, headers: redaction.headers(answer.headers) });
    const lines = Object.entries(forwardedHeaders(answer.headers)).map(([name, value]) => `${name}: ${String(value)}`);
    socket.write(
      `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`,
    );
    const body: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => body.push(chunk));
    answer.pipe(socket);
    answer.once('end', () => {
      const coding = answer.headers['content-encoding'];
      if (body.length > 0)
        write({ kind: 'body', from: 'server', ...decodedText(Buffer.concat(body), coding, redaction) });
      write({ kind: 'end', how: 'complete' });
    });
  });
  const onUnreachable = (error: NodeJS.ErrnoException) => {
    if (socket.destroyed) return write({ kind: 'end', how: 'left' });
    const wasReset = error.code === 'ECONNRESET';
    if (wasReset || error.message === 'socket hang up') {
      write({ kind: 'end', how: wasReset ? 'reset' : 'cut' });
      return reset(socket);
    }
    const refusal = new Refusal(`The upstream ${url.host} cannot be reached: ${error.code ?? error.message}.`, {
      status: 502,
      code: 'upstream_unreachable',
    });
    const body = refusal.body();
    write({ kind: 'answer', status: 502, headers: {} });
    write({ kind: 'body', from: 'server', text: body });
    write({ kind: 'end', how: 'complete' });
    const length = Buffer.byteLength(body);
    socket.end(
      `HTTP/1.1 502 ${STATUS_CODES[502]}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
    );
  };
  upstreamSocket.once('error', onUnreachable);
  upstreamSocket.once('open', () => {
    upstreamSocket.off('error', onUnreachable);
    socket.off('close', onClientGone);
    const addHeaders = (lines: string[], of: IncomingMessage) => {
      if (of !== request) return;
      for (const [name, value] of Object.entries(answered)) {
        if (!handshakeHeaders.test(name)) for (const each of [value].flat()) lines.push(`${name}: ${each}`);
      }
    };
    server.on('headers', addHeaders);
    server.handleUpgrade(request, socket, head, (clientSocket) => join(clientSocket, upstreamSocket));
    server.off('headers', addHeaders);
  });

  function join(clientSocket: WebSocket, upstreamSocket: WebSocket): void {
    let ended = false;
    pass(clientSocket, upstreamSocket, 'client', () => clientWasReset);
    pass(upstreamSocket, clientSocket, 'server', () => upstreamWasReset);

    function pass(from: WebSocket, to: WebSocket, name: 'client' | 'server', wasReset: () => boolean): void {
      from.on('message', (raw: RawData, isBinary: boolean) => {
        const bytes = bufferOf(raw);
        const { text, base64 } = isBinary ? binaryText(bytes, redaction) : bodyText(bytes, redaction);
        write({ kind: 'frame', from: name, text, ...(base64 && { base64 }) });
        if (to.readyState !== to.OPEN) return;
        to.send(bytes, { binary: isBinary }, () => {
          if (from.isPaused && to.bufferedAmount < highWaterBytes) from.resume();
        });
        if (to.bufferedAmount >= highWaterBytes) from.pause();
      });
      from.on('ping', (data: Buffer) => void (to.readyState === to.OPEN && to.ping(data)));
      from.on('pong', (data: Buffer) => void (to.readyState === to.OPEN && to.pong(data)));
      from.on('error', () => undefined);
      from.once('close', (code: number, reason: Buffer) => {
        if (!ended) {
          ended = true;
          const redacted = redaction.text(reason.toString());
          write({ kind: 'close', by: name, code, reason: redacted, ...(wasReset() && { reset: true as const }) });
        }
        if (to.readyState === to.CLOSED) return;
        if (code === 1006) return name === 'server' && wasReset() ? reset(socket) : to.terminate();
        if (to.readyState === to.OPEN) to.close(code === 1005 ? undefined : code, reason);
      });
    }
  }
}

function bufferOf(raw: RawData): Buffer {
  if (Array.isArray(raw)) return Buffer.concat(raw);
  return raw instanceof ArrayBuffer ? Buffer.from(raw) : raw;
}
