#!/usr/bin/env bash
# @fastify/http-proxy 11.6.3: over HTTP the client's key goes along, over a WebSocket it does not; the server's 401 becomes a WebSocket that opens and is closed.
#
# With websocket: true one line proxies both. A POST is sent on with the client's headers; for an upgrade only the cookie is ("the default implementation forwards
# the `cookie` header"), so authorization, session ids and OpenAI-Beta stay behind. The proxy says 101 to the client before it has asked the server, and whatever
# the server answers then, 401, 429 with retry-after, 426, is close code 1011 "unexpected response". A client cannot tell a wrong key from a server
# that fails, nor that it had better use SSE. http-proxy-3 passes the headers on, and the refusal back.
#
# Seen (Node 20), a server that wants a key, and a client that has one:
#   no proxy: POST 200, WebSocket: open, message
#   @fastify/http-proxy: POST 200, WebSocket: open, close 1011 unexpected response
#   http-proxy-3: POST 200, WebSocket: open, message
#   no proxy, without a key: POST 401, WebSocket: refused with 401
#   @fastify/http-proxy, without a key: POST 401, WebSocket: open, close 1011 unexpected response
#   http-proxy-3, without a key: POST 401, WebSocket: refused with 401
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @fastify/http-proxy@11.6.3 fastify@5.12.8 http-proxy-3@1.23.3 ws@8.23.0 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import fastifyProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { createProxyServer } from 'http-proxy-3';
import { WebSocket, WebSocketServer } from 'ws';

async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}
const sockets = new WebSocketServer({ noServer: true });
const server = createServer((request, answer) => {
  request.resume().on('end', () => answer.writeHead(request.headers.authorization === 'Bearer k' ? 200 : 401).end());
});
server.on('upgrade', (request, socket, head) => {
  if (request.headers.authorization !== 'Bearer k') socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  else sockets.handleUpgrade(request, socket, head, (peer) => peer.on('message', () => peer.send('{"type":"response.created"}')));
});
const behind = await listen(server);
const target = `http://127.0.0.1:${behind}`;

const app = fastify().register(fastifyProxy, { upstream: target, websocket: true });
await app.listen({ port: 0, host: '127.0.0.1' });
const proxy = createProxyServer({ target });
proxy.on('error', () => {});
const other = createServer((request, answer) => proxy.web(request, answer));
other.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
const ports = { 'no proxy': behind, '@fastify/http-proxy': app.server.address().port, 'http-proxy-3': await listen(other) };

function dial(port, headers) {
  return new Promise((resolve) => {
    const told = [];
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/responses`, { headers });
    const end = (text) => {
      resolve([...told, text].join(', '));
      socket.terminate();
    };
    socket.on('error', () => {});
    socket.on('open', () => {
      told.push('open');
      socket.send('{"type":"response.create"}');
    });
    socket.on('message', () => end('message'));
    socket.on('close', (code, reason) => end(`close ${code} ${reason}`));
    socket.on('unexpected-response', (request, answer) => end(`refused with ${answer.statusCode}`));
  });
}
for (const [words, headers] of [
  ['', { authorization: 'Bearer k' }],
  [', without a key', {}],
]) {
  for (const [name, port] of Object.entries(ports)) {
    const { status } = await fetch(`http://127.0.0.1:${port}/v1/responses`, { method: 'POST', headers, body: '{}' });
    console.log(`${name}${words}: POST ${status}, WebSocket: ${await dial(port, headers)}`);
  }
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
no proxy: POST 200, WebSocket: open, message
@fastify/http-proxy: POST 200, WebSocket: open, close 1011 unexpected response
http-proxy-3: POST 200, WebSocket: open, message
no proxy, without a key: POST 401, WebSocket: refused with 401
@fastify/http-proxy, without a key: POST 401, WebSocket: open, close 1011 unexpected response
http-proxy-3, without a key: POST 401, WebSocket: refused with 401
EOT
