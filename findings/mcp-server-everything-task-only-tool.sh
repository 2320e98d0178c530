#!/usr/bin/env bash
# @modelcontextprotocol/server-everything 2026.8.31: lists a tool to every client that only clients with tasks can call.
#
# simulate-research-query has execution.taskSupport "required" and is in the list also for a client that has announced no tasks (an
# experimental part of 2025-11-25) and one that speaks 2024-11-05, which has no such field. The model is offered a tool that always fails. Other
# tools of the same server are listed only to clients with the capability they need.
#
# Seen (Node 20): listed: required, and its call: "Tool simulate-research-query requires task augmentation (taskSupport: 'required')".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/server-everything@2026.8.31 >/dev/null
cat >run.mjs <<'EOF'
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const program = 'node_modules/@modelcontextprotocol/server-everything/dist/index.js';
const child = spawn(process.execPath, [program, 'stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
const lines = createInterface({ input: child.stdout });
let last = 0;
function request(method, params) {
  last += 1;
  const id = last;
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const message = JSON.parse(line);
      if (message.id === id) resolve(message);
    });
  });
}
const clientInfo = { name: 'c', version: '1' };
await request('initialize', { protocolVersion: '2024-11-05', capabilities: {}, clientInfo });
child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
const { result } = await request('tools/list', {});
const name = 'simulate-research-query';
console.log(`listed: ${result.tools.find((tool) => tool.name === name)?.execution?.taskSupport}`);
const answer = await request('tools/call', { name, arguments: { topic: 'tea' } });
console.log(answer.error?.message ?? answer.result.content[0].text);
child.kill();
EOF
node run.mjs | tee out
diff out - <<'EOF'
listed: required
MCP error -32601: Tool simulate-research-query requires task augmentation (taskSupport: 'required')
EOF
