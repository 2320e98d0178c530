#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and /client 2.4.0: once a server has answered 404 for its session, a client fails at every call for ever.
#
# The specification (2025-03-26 to 2025-11-25, Session Management): a client that gets 404 for a request with a session id "MUST start a new session by
# sending a new InitializeRequest without a session ID". Neither does, and both keep the lost id, so a restart of the server ends the client;
# transport.sessionId and connect() give no hint. 2.4.0 calls the error CLIENT_HTTP_NOT_IMPLEMENTED. Open as typescript-sdk issue 1708.
#
# Seen (Node 20); the server forgets its sessions after the first call:
#   sdk 1.32.2: answered in session-1, then 404, then 404; sessionId session-1; initialize was sent 1 time
#   client 2.4.0: answered in session-1, then 404, then 404; sessionId session-1; initialize was sent 1 time
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';

async function run(Client, Transport) {
  const sessions = new Set();
  let begun = 0;
  const server = createServer(async (request, answer) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method !== 'POST') return answer.writeHead(405).end();
    const { id, method } = JSON.parse(text);
    const json = (status, message, headers) =>
      answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', ...message }));
    if (method === 'initialize') {
      begun += 1;
      sessions.add(`session-${begun}`);
      const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } };
      return json(200, { id, result }, { 'mcp-session-id': `session-${begun}` });
    }
    const session = request.headers['mcp-session-id'];
    if (!sessions.has(session)) return json(404, { id: null, error: { code: -32001, message: 'Session not found' } });
    if (id === undefined) return answer.writeHead(202).end();
    return json(200, { id, result: { content: [{ type: 'text', text: session }] } });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = new Transport(new URL(`http://127.0.0.1:${server.address().port}/mcp`));
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(transport);
  const call = () => client.callTool({ name: 't', arguments: {} }).then(
    ({ content }) => `answered in ${content[0].text}`,
    ({ code, status }) => status ?? code,
  );
  const first = await call();
  sessions.clear();
  const rest = [await call(), await call()];
  return `${[first, ...rest].join(', then ')}; sessionId ${transport.sessionId}; initialize was sent ${begun} time`;
}
console.log(`sdk 1.32.2: ${await run(Client1, Transport1)}`);
console.log(`client 2.4.0: ${await run(Client2, Transport2)}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
sdk 1.32.2: answered in session-1, then 404, then 404; sessionId session-1; initialize was sent 1 time
client 2.4.0: answered in session-1, then 404, then 404; sessionId session-1; initialize was sent 1 time
EOT
