#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2: a call that has been answered is still cancelled at the server when its signal fires later.
#
# Protocol.request() listens to the caller's signal and never stops. A program that gives one signal to all calls of a run, and aborts it at
# the end, sends one notifications/cancelled for each call it has ever made. The specification: cancellation "MUST only reference requests
# that [...] are believed to still be in-progress".
#
# Seen (Node 20): "the call was answered: ok", then one notifications/cancelled for it after the abort.
# @modelcontextprotocol/client 2.4.0 sends none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null
cat >run.mjs <<'EOF'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client as Client2 } from '@modelcontextprotocol/client';

/** A transport whose other end answers everything at once, and keeps what it is sent. */
function answering(sent) {
  const transport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    async send(message) {
      sent.push(message);
      const results = {
        initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
        'tools/call': { content: [{ type: 'text', text: 'ok' }] },
      };
      if (message.id !== undefined)
        setImmediate(() => transport.onmessage({ jsonrpc: '2.0', id: message.id, result: results[message.method] ?? {} }));
    },
  };
  return transport;
}

async function run(call) {
  const sent = [];
  const controller = new AbortController();
  await call(answering(sent), controller.signal);
  controller.abort(new Error('the run is over'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return sent.filter(({ method }) => method === 'notifications/cancelled').length;
}

const first = await run(async (transport, signal) => {
  const client = new Client1({ name: 'c', version: '1' });
  await client.connect(transport);
  const { content } = await client.callTool({ name: 't', arguments: {} }, undefined, { signal });
  console.log(`the call was answered: ${content[0].text}`);
});
const second = await run(async (transport, signal) => {
  const client = new Client2({ name: 'c', version: '1' });
  await client.connect(transport);
  await client.callTool({ name: 't', arguments: {} }, { signal });
});
console.log(`sdk 1.32.2: ${first} notifications/cancelled after the abort`);
console.log(`client 2.4.0: ${second} notifications/cancelled after the abort`);
EOF
node run.mjs | tee out
diff out - <<'EOF'
the call was answered: ok
sdk 1.32.2: 1 notifications/cancelled after the abort
client 2.4.0: 0 notifications/cancelled after the abort
EOF
