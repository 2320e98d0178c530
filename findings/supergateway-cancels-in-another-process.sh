#!/usr/bin/env bash
# supergateway 4.0.0: a call that its client has cancelled is carried out all the same; the cancellation is delivered to a server that was started for it.
#
# Over streamable HTTP the gateway starts a process of the stdio server for each POST, unless it is told --stateful. notifications/cancelled is a POST of its own:
# a new server gets it, knows of no such call, and ends. The one that works is left to finish, so what the user stopped is sent, and its answer comes as one for an
# unknown id. mcp-proxy 6.7.19 has one server for all clients and does the same once it is told --stateless.
#
# Seen (Node 20), a tool that sends a mail after two seconds unless it is cancelled:
#   stdio, no gateway: the client was told "enough", the server stopped
#   supergateway: the client was told "enough", the server sent the mail
#   supergateway --stateful: the client was told "enough", the server stopped
#   mcp-proxy: the client was told "enough", the server stopped
#   mcp-proxy --stateless: the client was told "enough", the server sent the mail
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error supergateway@4.0.0 mcp-proxy@6.7.19 @modelcontextprotocol/sdk@1.32.2 >/dev/null
cat >server.mjs <<'JS'
import { appendFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

const say = (text) => appendFileSync('log', `${text}\n`);
const server = new McpServer({ name: 'mail', version: '1' });
server.registerTool('send', { description: 'Sends a mail.' }, async ({ signal }) => {
  say('begun');
  const until = Date.now() + 2_000;
  while (Date.now() < until && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
  say(signal.aborted ? 'stopped' : 'sent the mail');
  return { content: [{ type: 'text', text: 'sent' }] };
});
await server.connect(new StdioServerTransport());
JS
cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(done) {
  for (let waits = 0; waits < 600; waits += 1) {
    if (await done()) return;
    await sleep(50);
  }
  throw new Error('What was waited for did not happen within 30 seconds');
}

async function connectTo(name) {
  const client = new Client({ name: 'c', version: '1' });
  if (name === 'stdio, no gateway') {
    await client.connect(new StdioClientTransport({ command: process.execPath, args: ['server.mjs'] }));
    return { client };
  }
  const port = await freePort();
  const [tool, ...options] = name.split(' ');
  const proxy = ['node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs', '--host', '127.0.0.1', '--port', port, '--server', 'stream', ...options];
  const gateway = ['node_modules/supergateway/dist/index.js', '--outputTransport', 'streamableHttp', '--port', port, ...options];
  const args = tool === 'mcp-proxy' ? [...proxy, '--', process.execPath, 'server.mjs'] : [...gateway, '--stdio', `${process.execPath} server.mjs`];
  const child = spawn(process.execPath, args.map(String), { stdio: 'ignore' });
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  await until(() => fetch(url, { method: 'DELETE' }).then(() => true, () => false));
  await client.connect(new StreamableHTTPClientTransport(url));
  return { client, child };
}

for (const name of ['stdio, no gateway', 'supergateway', 'supergateway --stateful', 'mcp-proxy', 'mcp-proxy --stateless']) {
  writeFileSync('log', '');
  const { client, child } = await connectTo(name);
  client.onerror = () => {};
  const controller = new AbortController();
  const call = client.callTool({ name: 'send', arguments: {} }, undefined, { signal: controller.signal });
  const told = call.then(
    () => 'the client had its answer',
    (error) => `the client was told "${error.message.split(': ').at(-1)}"`,
  );
  await until(() => readFileSync('log', 'utf8').includes('begun'));
  controller.abort(new Error('enough'));
  await until(() => readFileSync('log', 'utf8').split('\n').length > 2);
  console.log(`${name}: ${await told}, the server ${readFileSync('log', 'utf8').split('\n')[1]}`);
  await client.close();
  child?.kill();
  if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
process.exit(0);
JS
timeout 120 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
stdio, no gateway: the client was told "enough", the server stopped
supergateway: the client was told "enough", the server sent the mail
supergateway --stateful: the client was told "enough", the server stopped
mcp-proxy: the client was told "enough", the server stopped
mcp-proxy --stateless: the client was told "enough", the server sent the mail
EOT
