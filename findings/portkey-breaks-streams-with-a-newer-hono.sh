#!/usr/bin/env bash
# @portkey-ai/gateway 1.15.2: installed today, it answers every request with stream: true with 500; the same request without it is served.
#
# Its manifest allows @hono/node-server ^1.3.3. Older ones of these put a Response of their own in place of Node's; Node's one, as the Fetch standard
# says, does not let the headers of a fetched response be changed, and the gateway does that where it passes a stream on ("TypeError: immutable").
# The quick start, npx @portkey-ai/gateway, picks the newest. Open as Portkey-AI/gateway issues 1389 and 1550.
#
# Seen (Node 20; 22 too):
#   @hono/node-server 1.13.8: JSON 200, stream 200 text/event-stream
#   @hono/node-server 1.19.19: JSON 200, stream 500 {"status":"failure","message":"Something went wrong"}
set -euo pipefail
folder=$(mktemp -d)
gateway=
trap 'test -z "$gateway" || kill "$gateway"; rm -rf "$folder"' EXIT
cd "$folder"
cat >run.mjs <<'JS'
import { createServer } from 'node:http';

const gateway = `http://127.0.0.1:${process.argv[2]}/v1/responses`;
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output: [] };
const events = [
  { type: 'response.created', sequence_number: 0, response: { ...response, status: 'in_progress' } },
  { type: 'response.completed', sequence_number: 1, response },
];
const server = createServer(async (request, answer) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (JSON.parse(body).stream !== true) {
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    return;
  }
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) answer.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  answer.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer k',
  'x-portkey-provider': 'openai',
  'x-portkey-custom-host': `http://127.0.0.1:${server.address().port}/v1`,
};
async function ask(more) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await fetch(gateway, { method: 'POST', headers, body: JSON.stringify({ model: 'm', input: 'Hello.', ...more }) });
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
const json = await ask({});
const stream = await ask({ stream: true });
const text = await stream.text();
console.log(`JSON ${json.status}, stream ${stream.status} ${stream.ok ? stream.headers.get('content-type') : text}`);
process.exit(0);
JS
for version in 1.13.8 1.19.19; do
  rm -rf node_modules package-lock.json
  echo "{ \"private\": true, \"type\": \"module\", \"overrides\": { \"@hono/node-server\": \"$version\" } }" >package.json
  timeout 300 npm install --no-audit --no-fund --loglevel=error @portkey-ai/gateway@1.15.2 >/dev/null
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  node node_modules/@portkey-ai/gateway/build/start-server.js "--port=$port" --headless >/dev/null 2>&1 &
  gateway=$!
  echo "@hono/node-server $version: $(timeout 60 node run.mjs "$port")" | tee -a out
  kill "$gateway"
  wait "$gateway" 2>/dev/null || true
  gateway=
done
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
@hono/node-server 1.13.8: JSON 200, stream 200 text/event-stream
@hono/node-server 1.19.19: JSON 200, stream 500 {"status":"failure","message":"Something went wrong"}
EOT
