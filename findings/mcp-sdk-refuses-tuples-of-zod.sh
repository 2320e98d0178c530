#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and zod 4.6.7: a client refuses every result, right ones too, where the output schema of a tool has a tuple of zod's.
#
# z.toJSONSchema() writes draft 2020-12, says so in $schema, and puts a tuple as "prefixItems" with "items": false. The specification (2025-11-25)
# makes 2020-12 the default dialect of tool schemas. The SDK's client checks with Ajv for draft-07 whatever $schema says: it skips prefixItems as
# unknown, and items: false then forbids every element. The server is right, its tool has run, and its result is lost.
# @modelcontextprotocol/client 2.4.0 takes it.
#
# Seen (Node 20); the tool answers with { "point": [1, "x"] }:
#   the schema: {"type":"array","prefixItems":[{"type":"number"},{"type":"string"}],"items":false,"minItems":2,"maxItems":2}
#   zod: true
#   sdk 1.32.2: refused: data/point/0 boolean schema is false, data/point/1 boolean schema is false
#   client 2.4.0: accepted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { z } from 'zod';

const schema = z.object({ point: z.tuple([z.number(), z.string()]) });
const outputSchema = z.toJSONSchema(schema);
const structuredContent = { point: [1, 'x'] };
const results = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
  'tools/list': { tools: [{ name: 't', inputSchema: { type: 'object' }, outputSchema }] },
  'tools/call': { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent },
};
function answering() {
  const transport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    async send({ id, method }) {
      if (id !== undefined) setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id, result: results[method] }));
    },
  };
  return transport;
}
async function call(Client) {
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(answering());
  await client.listTools();
  return client.callTool({ name: 't', arguments: {} }).then(
    () => 'accepted',
    ({ message }) => `refused: ${message.split("tool's output schema: ")[1]}`,
  );
}
console.log(`the schema: ${JSON.stringify(outputSchema.properties.point)}`);
console.log(`zod: ${schema.safeParse(structuredContent).success}`);
console.log(`sdk 1.32.2: ${await call(Client1)}`);
console.log(`client 2.4.0: ${await call(Client2)}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
the schema: {"type":"array","prefixItems":[{"type":"number"},{"type":"string"}],"items":false,"minItems":2,"maxItems":2}
zod: true
sdk 1.32.2: refused: data/point/0 boolean schema is false, data/point/1 boolean schema is false
client 2.4.0: accepted
EOT
