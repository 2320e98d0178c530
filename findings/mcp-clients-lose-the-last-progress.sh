#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and /client 2.4.0: progress that arrives together with its result is thrown away, and told as an error of the server.
#
# A transport hands each message to onmessage in order. The client settles a call at once where its result comes, and looks at notifications one tick later: those
# that came in the same read find no call any more. onprogress never has them, and onerror says "unknown token", which the server's was not. Over stdio that
# meets the last progress of most tools ("3 of 3", the last lines of an output), and all of a quick one; over HTTP it is seldom seen.
#
# Seen (Node 20), a server that sends three progress notifications, then the result:
#   sdk 1.32.2, in one read: onprogress was called for none; 3 errors, Received a progress notification for an unknown token
#   sdk 1.32.2, in four reads: onprogress was called for 1, 2, 3; 0 errors
#   client 2.4.0, in one read: onprogress was called for none; 3 errors, Received a progress notification for an unknown token
#   client 2.4.0, in four reads: onprogress was called for 1, 2, 3; 0 errors
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null
cat >server.mjs <<'JS'
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const reads = Number(process.argv[2]);
const lines = (...messages) => messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  const serverInfo = { name: 's', version: '1' };
  if (method === 'initialize') process.stdout.write(lines({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo } })[0]);
  else if (method === 'tools/call') {
    const { progressToken } = params._meta;
    const progress = [1, 2, 3].map((done) => ({ method: 'notifications/progress', params: { progressToken, progress: done, total: 3 } }));
    const all = lines(...progress, { id, result: { content: [] } });
    if (reads === 1) process.stdout.write(all.join(''));
    else for (const one of all) await sleep(250, process.stdout.write(one));
  } else if (id !== undefined) process.stdout.write(lines({ id, error: { code: -32601, message: 'Method not found' } })[0]);
}
JS
cat >run.mjs <<'JS'
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';

async function ask(name, client, transport, call) {
  const seen = [];
  const errors = [];
  client.onerror = (error) => errors.push(error.message.split(':')[0]);
  await client.connect(transport);
  await call({ onprogress: ({ progress }) => seen.push(progress) });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const told = errors.length === 0 ? '0 errors' : `${errors.length} errors, ${[...new Set(errors)].join(', ')}`;
  console.log(`${name}: onprogress was called for ${seen.length === 0 ? 'none' : seen.join(', ')}; ${told}`);
  await client.close();
}
const about = { name: 'c', version: '1' };
const tool = { name: 't', arguments: {} };
const server = (reads) => ({ command: process.execPath, args: ['server.mjs', String(reads)] });
const words = { 1: 'in one read', 4: 'in four reads' };
for (const reads of [1, 4]) {
  const client = new Client1(about);
  await ask(`sdk 1.32.2, ${words[reads]}`, client, new Stdio1(server(reads)), (options) => client.callTool(tool, undefined, options));
}
for (const reads of [1, 4]) {
  const client = new Client2(about);
  await ask(`client 2.4.0, ${words[reads]}`, client, new Stdio2(server(reads)), (options) => client.callTool(tool, options));
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
sdk 1.32.2, in one read: onprogress was called for none; 3 errors, Received a progress notification for an unknown token
sdk 1.32.2, in four reads: onprogress was called for 1, 2, 3; 0 errors
client 2.4.0, in one read: onprogress was called for none; 3 errors, Received a progress notification for an unknown token
client 2.4.0, in four reads: onprogress was called for 1, 2, 3; 0 errors
EOT
