#!/usr/bin/env bash
# @redis/client 6.3.1: with socketTimeout a client that is idle for that time is closed for good, though it reconnects after any other loss.
#
# By its documentation the option is how long the socket may be idle before it is closed, with or without a command in flight. That the default
# reconnectStrategy then does not reconnect stands in pull request 2965 of redis/node-redis; the page on production usage speaks of reconnecting
# alone. So a bound meant for a server that hangs ends a program's client in a quiet hour, and every later command fails.
#
# Seen (Node 20):
#   socketTimeout alone: PONG, then, idle: ClientClosedError: The client is closed (isOpen false)
#   with a reconnectStrategy: PONG, then, idle: PONG (isOpen true)
#   the server closes: PONG, then, idle: PONG (isOpen true)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @redis/client@6.3.1 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:net';
import { createClient } from '@redis/client';

/** As much of Redis as the client asks for here: commands arrive whole on loopback, and each is an array of strings. */
const sockets = new Set();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => {}).on('data', (data) => {
    for (const command of String(data).split(/(?=\*\d+\r\n)/)) {
      if (/\r\nHELLO\r\n/i.test(command)) socket.write('%1\r\n$5\r\nproto\r\n:3\r\n');
      else socket.write(/\r\nPING\r\n/i.test(command) ? '+PONG\r\n' : '+OK\r\n');
    }
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();

async function run(options, meanwhile = () => {}) {
  const client = createClient({ socket: { host: '127.0.0.1', port, ...options } }).on('error', () => {});
  await client.connect();
  const first = await client.ping();
  meanwhile();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const second = await client.ping().catch((error) => `${error.constructor.name}: ${error.message}`);
  const outcome = `${first}, then, idle: ${second} (isOpen ${client.isOpen})`;
  if (client.isOpen) client.destroy();
  return outcome;
}
console.log(`socketTimeout alone: ${await run({ socketTimeout: 500 })}`);
console.log(`with a reconnectStrategy: ${await run({ socketTimeout: 500, reconnectStrategy: () => 50 })}`);
console.log(`the server closes: ${await run({}, () => sockets.forEach((socket) => socket.destroy()))}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
socketTimeout alone: PONG, then, idle: ClientClosedError: The client is closed (isOpen false)
with a reconnectStrategy: PONG, then, idle: PONG (isOpen true)
the server closes: PONG, then, idle: PONG (isOpen true)
EOT
