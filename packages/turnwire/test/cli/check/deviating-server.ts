import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export type Json = Record<string, unknown>;

export interface Reply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** The deviations of a server from the one behind it. */
export interface Deviations {
  /** Answers a request, or an upgrade (`method` is `UPGRADE`), instead of the server behind. */
  answer?: (asked: Asked) => Reply | undefined;
  /** Changes a create over either transport, and any frame, before the server gets it; undefined: the server gets nothing. */
  toServer?: (json: Json, transport: 'http' | 'websocket') => Json | undefined;
  /** Changes an event over either transport before the client gets it. */
  event?: (event: Json, transport: 'sse' | 'websocket') => readonly Json[];
  /** Changes a whole event stream before the client gets it. */
  stream?: (text: string) => string;
  /** Frames that reach the client in place of one. */
  frames?: (text: string) => readonly string[];
  /** A create that is answered by this frame at once; `number` counts the creates of a socket from 1. */
  refuse?: (number: number) => Json | undefined;
  /** The only keys that are taken; others get 401. */
  keys?: readonly string[];
}

/** Stands before a server and passes everything on, but for what deviates. Buffers event streams. */
export class DeviatingServer implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async start(upstream: string, deviations: Deviations): Promise<DeviatingServer> {
    const { port: upstreamPort, pathname } = new URL(upstream);
    const sockets = new Set<WebSocket>();
    const server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const raw = Buffer.concat(chunks);
        const asked = askedBy(request.method ?? '', request.url ?? '', request.headers, raw);
        const reply = refusedKey(deviations, asked) ?? deviations.answer?.(asked);
        if (reply !== undefined) {
          response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
          response.end(reply.body ?? '');
          return;
        }
        const json = request.method === 'POST' && deviations.toServer !== undefined ? objectOf(raw) : undefined;
        const body =
          json === undefined ? raw : Buffer.from(JSON.stringify(deviations.toServer?.(json, 'http') ?? json));
        const headers = { ...request.headers, 'content-length': String(body.length) };
        const outgoing = httpRequest({
          port: upstreamPort,
          host: '127.0.0.1',
          method: request.method,
          path: request.url,
          headers,
          // A connection for each: one that is kept may be closed under the next request.
          agent: false,
        });
        outgoing.on('error', () => response.destroy());
        response.on('close', () => outgoing.destroy());
        outgoing.on('response', (incoming) => {
          void (async () => {
            const parts: Buffer[] = [];
            let whole = true;
            try {
              for await (const chunk of incoming) parts.push(chunk as Buffer);
            } catch {
              whole = false;
            }
            const text = Buffer.concat(parts).toString();
            const isStream = String(incoming.headers['content-type']).startsWith('text/event-stream');
            const { 'content-length': _, ...kept } = incoming.headers;
            response.writeHead(incoming.statusCode ?? 502, kept);
            response.write(isStream ? editedStream(deviations, text) : text);
            if (whole) response.end();
            else response.destroy();
          })();
        });
        outgoing.end(body);
      })();
    });
    const upgrades = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      const asked = askedBy('UPGRADE', request.url ?? '', request.headers, Buffer.alloc(0));
      const reply = refusedKey(deviations, asked) ?? deviations.answer?.(asked);
      if (reply !== undefined) {
        const body = reply.body ?? '';
        const type = reply.headers?.['content-type'] ?? 'application/json';
        socket.end(
          `HTTP/1.1 ${reply.status} x\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
        return;
      }
      const { authorization } = request.headers;
      const back = new WebSocket(`ws://127.0.0.1:${upstreamPort}${pathname}/responses`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      back.on('error', () => socket.destroy());
      upgrades.handleUpgrade(request, socket, head, (front) => {
        sockets.add(front);
        join(front, back, deviations);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new DeviatingServer(`http://127.0.0.1:${port}${pathname}`, () => {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      server.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await Promise.resolve();
  }
}

function join(front: WebSocket, back: WebSocket, deviations: Deviations): void {
  const waiting: string[] = [];
  let creates = 0;
  front.on('error', () => back.terminate());
  front.on('message', (raw: Buffer) => {
    const text = raw.toString();
    const json = objectOf(raw);
    if (json?.['type'] === 'response.create') creates += 1;
    const refusal = json?.['type'] === 'response.create' ? deviations.refuse?.(creates) : undefined;
    if (refusal !== undefined) return front.send(JSON.stringify(refusal));
    const edited =
      deviations.toServer === undefined ? (json ?? text) : deviations.toServer(json ?? { text }, 'websocket');
    if (edited === undefined) return;
    const out = typeof edited === 'string' ? edited : JSON.stringify(edited);
    if (back.readyState === WebSocket.OPEN) back.send(out);
    else waiting.push(out);
  });
  back.on('open', () => {
    for (const text of waiting) back.send(text);
  });
  back.on('message', (raw: Buffer) => {
    const text = raw.toString();
    const events = deviations.event === undefined ? undefined : deviations.event(JSON.parse(text) as Json, 'websocket');
    const frames = events?.map((event) => JSON.stringify(event)) ?? deviations.frames?.(text) ?? [text];
    for (const frame of frames) front.send(frame);
  });
  const passable = (code: number): boolean => code === 1000 || (code > 1000 && ![1005, 1006, 1015].includes(code));
  front.on('close', (code) => (passable(code) ? back.close(code) : back.terminate()));
  back.on('close', (code) => (passable(code) ? front.close(code) : front.terminate()));
}

function editedStream({ event: edit, stream }: Deviations, text: string): string {
  const edited =
    edit === undefined
      ? text
      : text
          .split(/(?<=\n\n)/)
          .flatMap((block) => {
            const data = /^data: (\{.*)$/m.exec(block)?.[1];
            if (data === undefined) return [block];
            return edit(JSON.parse(data) as Json, 'sse').map(
              (event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`,
            );
          })
          .join('');
  return stream?.(edited) ?? edited;
}

function refusedKey({ keys }: Deviations, { headers }: Asked): Reply | undefined {
  if (keys === undefined || keys.some((key) => headers.authorization === `Bearer ${key}`)) return undefined;
  const error = {
    type: 'authentication_error',
    code: 'invalid_api_key',
    message: 'No key, or a wrong one.',
    param: null,
  };
  return { status: 401, body: JSON.stringify({ error }) };
}

function askedBy(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Asked {
  return { method, path: url.replace(/^\/[^/]+\//, ''), headers, body: body.toString() };
}

function objectOf(raw: Buffer): Json | undefined {
  try {
    return JSON.parse(raw.toString()) as Json;
  } catch {
    return undefined;
  }
}
