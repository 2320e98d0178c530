#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2: listing tools prints a line on standard error for each format of an output schema that Ajv does not know.
#
# Client.listTools() compiles every tool's outputSchema with Ajv at once, whether a tool is called or not. JSON Schema lets servers use formats of
# their own, and servers in Rust do: schemars writes "uint32". Each one is a line by console.warn(), which lands in the screen of a terminal
# program; the client cannot be told not to, other than by a validator of one's own.
#
# Seen (Node 20): 'unknown format "uint32" ignored in schema at path "#/properties/count"'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 >/dev/null
cat >run.mjs <<'EOF'
import { Client } from '@modelcontextprotocol/sdk/client/index.js';

const outputSchema = { type: 'object', properties: { count: { type: 'integer', format: 'uint32' } } };
const results = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
  'tools/list': { tools: [{ name: 't', inputSchema: { type: 'object' }, outputSchema }] },
};
const transport = {
  start: async () => {},
  close: async () => transport.onclose?.(),
  async send({ id, method }) {
    if (id !== undefined) setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id, result: results[method] }));
  },
};
const client = new Client({ name: 'c', version: '1' });
await client.connect(transport);
await client.listTools();
EOF
node run.mjs 2>err
cat err
grep -q 'unknown format "uint32" ignored' err
