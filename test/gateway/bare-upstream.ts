import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { WebSocket } from 'ws';

/** The fields of a create, as the upstream has read them. */
export interface Asked extends Record<string, unknown> {
  stream_id?: string;
}

export interface BareUpstream {
  url: string;
  /** Headers of the upgrades, in their order. */
  upgrades: IncomingHttpHeaders[];
  /** Headers of the POSTs, in their order. */
  posts: IncomingHttpHeaders[];
}

/** A server that says what a test tells it to say, byte for byte, over either transport. */
export async function bareUpstream(
  t: TestContext,
  options: {
    frames: (asked: Asked, socket: WebSocket | undefined) => readonly string[];
    webSockets?: boolean;
    headers?: Record<string, string>;
  },
): Promise<BareUpstream> {
  const upgrades: IncomingHttpHeaders[] = [];
  const posts: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    posts.push(request.headers);
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...options.headers });
      for (const frame of options.frames(JSON.parse(text) as Asked, undefined)) {
        const { type } = JSON.parse(frame) as { type: string };
        response.write(`event: ${type}\ndata: ${frame}\n\n`);
      }
      response.end();
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (options.webSockets === false) return socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n');
    upgrades.push(request.headers);
    return sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (raw: Buffer) => {
        for (const frame of options.frames(JSON.parse(raw.toString()) as Asked, webSocket)) webSocket.send(frame);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, upgrades, posts };
}
