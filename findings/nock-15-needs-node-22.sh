#!/usr/bin/env bash
# nock 15.0.2: its manifest allows Node 20.12 and later, and on Node 20 every connection of the process fails once it is imported.
#
# Importing nock is enough: nothing is mocked and nothing is forbidden. From version 15 on it wraps every socket with @mswjs/interceptors, whose code
# needs Promise.withResolvers (Node 22). A plain http.get to a server on loopback throws.
#
# Seen (Node 20): "engines: >=20.12.1", then "Promise.withResolvers is not a function".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --loglevel=error nock@15.0.2 @mswjs/interceptors@0.44.0 >/dev/null
node=node
if [[ $(node -p 'process.versions.node.split(".")[0]') != 20 ]]; then
  npm install --no-audit --no-fund --loglevel=error node@20 >/dev/null
  node=node_modules/node/bin/node
fi
cat >run.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import 'nock';

const { engines } = JSON.parse(readFileSync('node_modules/nock/package.json', 'utf8'));
console.log(`engines: ${engines.node}`);
const server = createServer((_request, response) => response.end('fine'));
server.listen(0, '127.0.0.1', () => {
  const end = (what) => {
    console.log(what);
    process.exit(0);
  };
  try {
    get({ port: server.address().port, host: '127.0.0.1' }, (response) => end(response.statusCode)).on('error', (error) =>
      end(error.message),
    );
  } catch (error) {
    end(error.message);
  }
});
EOF
$node run.mjs | tee out
diff out - <<'EOF'
engines: >=20.12.1
Promise.withResolvers is not a function
EOF
