#!/usr/bin/env bash
# @langchain/mcp-adapters 1.1.4: where a tool's argument may be of several kinds, only the last kind is accepted; calls of the others never reach the server.
#
# The adapter melts the variants of a oneOf into one object before a model sees the tool, for OpenAI, which refuses a oneOf only at the top of a schema.
# Where each has the same property with a const of its own (z.discriminatedUnion, a Pydantic discriminator), the last const wins: the model is told of one
# kind, and a call of another is thrown out by the adapter's own check. The model reads "did not match expected schema" for a call that the server's
# list of tools allows. Open as langchainjs issue 11302.
#
# Seen (Node 20), a tool that pays to a "person", to an "account" or to a "till":
#   the server lists kinds: person, account, till
#   the model is told of: till, requires: kind
#   @langchain/mcp-adapters, person: Received tool input did not match expected schema
#   @langchain/mcp-adapters, account: Received tool input did not match expected schema
#   @langchain/mcp-adapters, till: paid
#   @modelcontextprotocol/sdk, person: paid
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @langchain/mcp-adapters@1.1.4 @langchain/core@1.4.0 @langchain/langgraph@1.7.3 \
  @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { loadMcpTools } from '@langchain/mcp-adapters';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

const to = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('person'), name: z.string() }),
  z.object({ kind: z.literal('account'), iban: z.string() }),
  z.object({ kind: z.literal('till'), number: z.number() }),
]);
const server = new McpServer({ name: 's', version: '1' });
server.registerTool('pay', { description: 'Pays.', inputSchema: { to } }, () => ({ content: [{ type: 'text', text: 'paid' }] }));
const [here, there] = InMemoryTransport.createLinkedPair();
await server.connect(there);
const client = new Client({ name: 'c', version: '1' });
await client.connect(here);

const listed = (await client.listTools()).tools[0].inputSchema.properties.to;
console.log(`the server lists kinds: ${(listed.oneOf ?? listed.anyOf).map(({ properties }) => properties.kind.const).join(', ')}`);
const [pay] = await loadMcpTools('s', client);
const told = pay.schema.properties.to;
console.log(`the model is told of: ${told.properties.kind.const}, requires: ${told.required.join(', ')}`);
const person = { kind: 'person', name: 'A. Person' };
for (const receiver of [person, { kind: 'account', iban: 'NO93' }, { kind: 'till', number: 4 }]) {
  const outcome = await pay.invoke({ to: receiver }).catch((error) => error.message.split('\n')[0]);
  console.log(`@langchain/mcp-adapters, ${receiver.kind}: ${outcome}`);
}
const result = await client.callTool({ name: 'pay', arguments: { to: person } });
console.log(`@modelcontextprotocol/sdk, person: ${result.content[0].text}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
the server lists kinds: person, account, till
the model is told of: till, requires: kind
@langchain/mcp-adapters, person: Received tool input did not match expected schema
@langchain/mcp-adapters, account: Received tool input did not match expected schema
@langchain/mcp-adapters, till: paid
@modelcontextprotocol/sdk, person: paid
EOT
