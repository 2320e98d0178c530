#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and /client 2.4.0: a tool whose output schema has an $id is checked by its first schema for as long as the client lives.
#
# A server may change its tools while it runs and says so by notifications/tools/list_changed; the client asks for the list anew. Both clients look a
# schema with an $id up in Ajv before they compile it, so the one of the first list stays: results by the new schema are refused, though the list
# that the program holds has the new one. Without $id the new schema counts at once.
#
# Seen (Node 20); the tool answers by the schema that its server has listed last:
#   sdk 1.32.2 without $id: accepted, accepted after the change
#   sdk 1.32.2 with $id: accepted, refused after the change
#   client 2.4.0 without $id: accepted, accepted after the change
#   client 2.4.0 with $id: accepted, refused after the change
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null
cat >run.mjs <<'JS'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client as Client2 } from '@modelcontextprotocol/client';

async function run(Client, id) {
  let field = 'count';
  const outputSchema = () => ({ ...id, type: 'object', properties: { [field]: { type: 'integer' } }, required: [field] });
  const results = {
    initialize: () => ({
      protocolVersion: '2025-06-18',
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 's', version: '1' },
    }),
    'tools/list': () => ({ tools: [{ name: 't', inputSchema: { type: 'object' }, outputSchema: outputSchema() }] }),
    'tools/call': () => ({ content: [{ type: 'text', text: `{"${field}":1}` }], structuredContent: { [field]: 1 } }),
  };
  const transport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    async send({ id: request, method }) {
      if (request !== undefined) setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id: request, result: results[method]() }));
    },
  };
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(transport);
  const call = () => client.callTool({ name: 't', arguments: {} }).then(
    () => 'accepted',
    () => 'refused',
  );
  await client.listTools();
  const before = await call();
  field = 'total';
  transport.onmessage({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  await client.listTools();
  return `${before}, ${await call()} after the change`;
}
const $id = 'https://example.com/schemas/result';
for (const [name, Client] of [['sdk 1.32.2', Client1], ['client 2.4.0', Client2]]) {
  console.log(`${name} without $id: ${await run(Client, {})}`);
  console.log(`${name} with $id: ${await run(Client, { $id })}`);
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
sdk 1.32.2 without $id: accepted, accepted after the change
sdk 1.32.2 with $id: accepted, refused after the change
client 2.4.0 without $id: accepted, accepted after the change
client 2.4.0 with $id: accepted, refused after the change
EOT
