#!/usr/bin/env bash
# @modelcontextprotocol/server-everything 2026.8.31 over streamable HTTP: a request of a session that it does not know is answered with 400.
#
# The specification (2025-03-26 and later, Session Management) says 404, at which a client has to begin a new session; 400 is for a request without
# a session id. A client that goes by the status alone never begins anew, for example after a restart of the server. There is no code of its
# own either: -32000 is what other refusals have, too.
#
# Seen (Node 20): 400 {"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error @modelcontextprotocol/server-everything@2026.8.31 >/dev/null
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
PORT=$port node node_modules/@modelcontextprotocol/server-everything/dist/index.js streamableHttp >/dev/null 2>&1 &
server=$!
cat >run.mjs <<'EOF'
const url = `http://127.0.0.1:${process.argv[2]}/mcp`;
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-session-id': '2b1d1a52-6a0f-4f0c-9d6c-1d1c6e2f7a11',
  'mcp-protocol-version': '2025-06-18',
};
const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
for (let tries = 0; ; tries += 1) {
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
  if (response === undefined && tries < 100) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    continue;
  }
  const { error } = await response.json();
  console.log(response.status, error.code, error.message);
  break;
}
EOF
node run.mjs "$port" | tee out
diff out - <<'EOF'
400 -32000 Bad Request: No valid session ID provided
EOF
