#!/usr/bin/env bash
# @modelcontextprotocol/client 2.4.0: listing what a server does not announce prints a line on standard output.
#
# listTools(), listPrompts() and listResources() answer with an empty list where the server did not announce the capability, and tell so by
# console.debug(), which Node writes to standard output, not to standard error. A program whose output is read by another program (JSON lines,
# or MCP itself over stdio) gets a line in between that it did not write.
#
# Seen (Node 20): "Client.listPrompts() called but server does not advertise prompts capability - returning empty list" on standard output.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/client@2.4.0 >/dev/null
cat >run.mjs <<'EOF'
import { Client } from '@modelcontextprotocol/client';

const transport = {
  start: async () => {},
  close: async () => transport.onclose?.(),
  async send(message) {
    const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } };
    if (message.id !== undefined) setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id: message.id, result }));
  },
};
const client = new Client({ name: 'c', version: '1' });
await client.connect(transport);
const { prompts } = await client.listPrompts();
process.stdout.write(`${JSON.stringify(prompts)}\n`);
EOF
node run.mjs 2>err >out
cat out
diff out - <<'EOF'
Client.listPrompts() called but server does not advertise prompts capability - returning empty list
[]
EOF
test ! -s err
