#!/usr/bin/env bash
# http-proxy 1.18.1, http-proxy-middleware 3.0.11 and @fastify/http-proxy 11.6.3: a client that leaves is not noticed, and the turn behind goes on to its end.
#
# A response ends at the server when its connection does; that is how a user stops one. Behind http-proxy that never happens: it waits for an event that Node
# does not send any more (since 15.5, http-party/node-http-proxy pull request 1559) once the request was read. http-proxy-middleware mends that for an
# answer that has begun. Before its headers, which is where a turn without streaming is all the time, neither it nor Fastify's proxy
# passes it on. The model writes on and is paid, and the client, by then, has asked again.
#
# Seen (Node 20), a client that leaves a POST; what the server behind has seen:
#   no proxy: in the stream left, before the headers left
#   http-proxy: in the stream ran to the end, before the headers ran to the end
#   http-proxy-middleware: in the stream left, before the headers ran to the end
#   @fastify/http-proxy: in the stream left, before the headers ran to the end
#   http-proxy-3: in the stream left, before the headers left
#   express-http-proxy: in the stream left, before the headers left
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error http-proxy@1.18.1 http-proxy-middleware@3.0.11 @fastify/http-proxy@11.6.3 fastify@5.12.8 \
  http-proxy-3@1.23.3 express-http-proxy@2.1.2 express@5.3.0 >/dev/null
cat >run.mjs <<'JS'
import { once } from 'node:events';
import { createServer, request as open } from 'node:http';
import fastifyProxy from '@fastify/http-proxy';
import express from 'express';
import expressProxy from 'express-http-proxy';
import fastify from 'fastify';
import httpProxy from 'http-proxy';
import * as httpProxy3 from 'http-proxy-3';
import { createProxyMiddleware } from 'http-proxy-middleware';

/** A turn of at most three seconds, whose headers come with its first event, or with its end. */
let streams;
let begun;
let ended;
const server = createServer(async (request, answer) => {
  await once(request.resume(), 'end');
  answer.on('close', () => ended.resolve(answer.writableFinished ? 'ran to the end' : 'left'));
  if (streams) answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let events = 0; events < 60 && !answer.destroyed; events += 1) {
    if (streams) answer.write(`data: {"type":"response.output_text.delta","delta":"${events} "}\n\n`);
    if (events === 1) begun.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  answer.end();
});
async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}
const behind = await listen(server);
const target = `http://127.0.0.1:${behind}`;
const forward = (proxy) => {
  proxy.on('error', () => {});
  return listen(createServer((request, answer) => proxy.web(request, answer)));
};
const proxies = {
  'no proxy': async () => behind,
  'http-proxy': () => forward(httpProxy.createProxyServer({ target })),
  'http-proxy-middleware': () => listen(createServer(express().use(createProxyMiddleware({ target })))),
  '@fastify/http-proxy': async () => {
    const app = fastify().register(fastifyProxy, { upstream: target });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server.address().port;
  },
  'http-proxy-3': () => forward(httpProxy3.createProxyServer({ target })),
  'express-http-proxy': () => listen(createServer(express().use(expressProxy(target)))),
};

async function leave(port) {
  const hasBegun = new Promise((resolve) => (begun = { resolve }));
  const hasEnded = new Promise((resolve) => (ended = { resolve }));
  const client = open({ port, host: '127.0.0.1', method: 'POST', path: '/v1/responses', headers: { 'content-type': 'application/json' } });
  client.on('error', () => {}).end(JSON.stringify({ model: 'm', input: 'Count.', stream: streams }));
  if (streams) {
    const [answer] = await once(client, 'response');
    await once(answer.on('error', () => {}), 'data');
  }
  await hasBegun;
  client.destroy();
  return hasEnded;
}
for (const [name, start] of Object.entries(proxies)) {
  const port = await start();
  streams = true;
  const inStream = await leave(port);
  streams = false;
  console.log(`${name}: in the stream ${inStream}, before the headers ${await leave(port)}`);
}
process.exit(0);
JS
timeout 90 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
no proxy: in the stream left, before the headers left
http-proxy: in the stream ran to the end, before the headers ran to the end
http-proxy-middleware: in the stream left, before the headers ran to the end
@fastify/http-proxy: in the stream left, before the headers ran to the end
http-proxy-3: in the stream left, before the headers left
express-http-proxy: in the stream left, before the headers left
EOT
