import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { WebSocketServer } from 'ws';
import { answerOf } from './answer.js';
import { numbered, serialize } from './frames.js';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Frames } from './frames.js';

export interface ServerCounts {
  connections: number;
  /** The bytes read from the sockets: headers, framing and TLS included. */
  receivedBytes: number;
  turns: number;
}

export interface BenchServer {
  port: number;
  counts(): ServerCounts;
  close(): Promise<void>;
}

export interface ServerOptions {
  seed: number;
  /** Key and certificate in PEM; with them the server speaks TLS. */
  tls?: { key: string; cert: string } | undefined;
}

/**
 * The server of the bench: `POST …/responses` with SSE, and the WebSocket at the same path. It does as little as possible, so that the clients are measured:
 * no request is parsed, and every answer is serialised once.
 */
export async function startServer({ seed, tls }: ServerOptions): Promise<BenchServer> {
  const frames = new Map<string, Frames>();
  const framesOf = (model: string, carriage: 'websocket' | 'sse', continues: boolean): Frames => {
    const key = `${carriage} ${model} ${continues}`;
    let known = frames.get(key);
    if (known === undefined) frames.set(key, (known = serialize(answerOf(model), carriage, seed, continues)));
    return known;
  };
  let turns = 0;
  let connections = 0;
  let closedBytes = 0;
  const sockets = new Set<Socket>();

  const answer = (request: Buffer, carriage: 'websocket' | 'sse', output: Duplex | ServerResponse): void => {
    const model = modelIn(request);
    const parent = parentIn(request);
    const prepared = framesOf(model, carriage, parent !== undefined);
    turns += 1;
    const bytes = numbered(prepared, turns, parent);
    const { rate, firstMs, chunk } = answerOf(model);
    const end = (): void => {
      if (carriage === 'sse') output.end();
    };
    const write = (from: number, to: number): boolean => !output.destroyed && output.write(bytes.subarray(from, to));
    const begin = (): void => {
      if (rate !== 0) return pace(prepared.ends, rate, write, end);
      if (carriage === 'websocket' || chunk === 'answer') output.write(bytes);
      else writeEach(prepared.ends, write);
      end();
    };
    if (firstMs === 0) begin();
    else setTimeout(begin, firstMs);
  };

  const server: Server = tls === undefined ? createHttp() : createHttps(tls);
  // The server announces no keep-alive time, as the real service does not: each client decides how long it keeps a connection.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => {
      closedBytes += socket.bytesRead;
      sockets.delete(socket);
    });
    socket.on('error', () => {});
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      answer(Buffer.concat(chunks), 'sse', response);
    });
  });
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (message: Buffer) => answer(message, 'websocket', socket));
      webSocket.on('error', () => {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => {
      let receivedBytes = closedBytes;
      for (const { bytesRead } of sockets) receivedBytes += bytesRead;
      return { connections, receivedBytes, turns };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Writes an HTTP chunk for each event. Node sends everything that is written in one tick together; `cork` cannot be used, since Node 24 makes one chunk of
 * all corked writes.
 */
function writeEach(ends: readonly number[], write: (from: number, to: number) => void): void {
  let from = 0;
  for (const to of ends) {
    write(from, to);
    from = to;
  }
}

/**
 * Writes event after event, each in a write of its own, `rate` a second. The number of due events is computed from the time since the beginning, so that a
 * late timer does not slow the stream down.
 */
function pace(
  ends: readonly number[],
  rate: number,
  write: (from: number, to: number) => boolean,
  end: () => void,
): void {
  const begun = performance.now();
  let written = 0;
  const step = (): void => {
    const due = Math.min(ends.length, 1 + Math.floor(((performance.now() - begun) * rate) / 1000));
    for (; written < due; written += 1) write(ends[written - 1] ?? 0, ends[written] ?? 0);
    if (written === ends.length) return end();
    setTimeout(step, Math.max(1, begun + (written * 1000) / rate - performance.now()));
  };
  step();
}

const parentField = Buffer.from('"previous_response_id":"resp_');

/** The number of the response that a request continues; undefined for a request in full. Found in the text, as the model is. */
function parentIn(request: Buffer): string | undefined {
  const at = request.indexOf(parentField);
  const start = at + parentField.length;
  return at === -1 ? undefined : request.toString('latin1', start, request.indexOf(0x22, start));
}

const modelField = Buffer.from('"model":"');

/**
 * The model of a request, found in the text without parsing it: to parse a history of a megabyte would cost more than the answer. No content of the bench has
 * this field.
 */
function modelIn(request: Buffer): string {
  const start = request.indexOf(modelField) + modelField.length;
  return request.toString('latin1', start, request.indexOf(0x22, start));
}
