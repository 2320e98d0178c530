#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2: a client checks results by the output schemas of the last page of tools alone.
#
# Client.callTool() checks structuredContent against the tool's outputSchema ("clients SHOULD validate", specification 2025-06-18), if listTools()
# has seen it. Each listTools() empties the memory first, and a list of several pages takes several calls: whether a wrong result is found
# depends on the page that listed its tool. Noted in the review of typescript-sdk pull request 2249.
# @modelcontextprotocol/client 2.4.0 walks through the pages itself, and checks all.
#
# Seen (Node 20); each tool answers with { "wrong": true } where its schema asks for "count":
#   sdk 1.32.2, after page 1: first refused
#   sdk 1.32.2, after page 2: first accepted, second refused
#   client 2.4.0: first refused, second refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null
cat >run.mjs <<'JS'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client as Client2 } from '@modelcontextprotocol/client';

const outputSchema = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] };
const tool = (name) => ({ name, inputSchema: { type: 'object' }, outputSchema });
const results = {
  initialize: () => ({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }),
  'tools/list': ({ cursor } = {}) => (cursor === '2' ? { tools: [tool('second')] } : { tools: [tool('first')], nextCursor: '2' }),
  'tools/call': () => ({ content: [{ type: 'text', text: '{"wrong":true}' }], structuredContent: { wrong: true } }),
};
function answering() {
  const transport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    async send({ id, method, params }) {
      if (id !== undefined) setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id, result: results[method](params) }));
    },
  };
  return transport;
}
async function connect(Client) {
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(answering());
  return client;
}
const call = (client, name) => client.callTool({ name, arguments: {} }).then(
  () => `${name} accepted`,
  () => `${name} refused`,
);

const client1 = await connect(Client1);
const { nextCursor } = await client1.listTools();
console.log(`sdk 1.32.2, after page 1: ${await call(client1, 'first')}`);
await client1.listTools({ cursor: nextCursor });
console.log(`sdk 1.32.2, after page 2: ${await call(client1, 'first')}, ${await call(client1, 'second')}`);
const client2 = await connect(Client2);
await client2.listTools();
console.log(`client 2.4.0: ${await call(client2, 'first')}, ${await call(client2, 'second')}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
sdk 1.32.2, after page 1: first refused
sdk 1.32.2, after page 2: first accepted, second refused
client 2.4.0: first refused, second refused
EOT
