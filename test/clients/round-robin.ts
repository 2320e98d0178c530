import { once } from 'node:events';
import { Agent, createServer, request as send } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A balancer that knows nothing of chains: each request, and each WebSocket, goes to the next server. */
export async function startRoundRobin(t: TestContext, urls: readonly string[]): Promise<string> {
  const hosts = urls.map((url) => new URL(url));
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  let turn = 0;
  const next = (): URL => {
    turn += 1;
    const host = hosts[turn % hosts.length];
    if (host === undefined) throw new Error('there is no server');
    return host;
  };
  const server = createServer((request, response) => {
    const { hostname, port } = next();
    const { url: path, method, headers } = request;
    const up = send({ agent, hostname, port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    up.on('error', () => response.destroy());
    request.pipe(up);
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const { hostname, port } = next();
    const up = connect(Number(port), hostname);
    for (const one of [socket, up]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => [socket, up].forEach((each) => each.destroy()));
    }
    const lines = request.rawHeaders.map((text, index) => (index % 2 === 0 ? `\r\n${text}: ` : text));
    up.write(`${request.method} ${request.url} HTTP/1.1${lines.join('')}\r\n\r\n`);
    up.write(head);
    up.pipe(socket).pipe(up);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    agent.destroy();
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
