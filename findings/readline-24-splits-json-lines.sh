#!/usr/bin/env bash
# Node 24: readline ends a line at U+2028 and U+2029, which JSON has within its texts; up to Node 22 it did not.
#
# Programs that speak in lines of JSON (stdio servers of MCP, workers, logs) are often read by readline. JSON.stringify writes both characters as they are, so
# that a message with one of them arrives as two lines from Node 24 on, neither of which is JSON. Models and web pages do write them.
#
# Seen (node 22.23.3 and 24.21.0 of npm), one line, {"text":"a<U+2028>b"}:
#   22.23.3: 1 line, JSON
#   24.21.0: 2 lines, no JSON
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error node-22@npm:node@22.23.3 node-24@npm:node@24.21.0 >/dev/null
cat >read.cjs <<'JS'
const { Readable } = require('node:stream');
const lines = [];
const input = Readable.from([Buffer.from(`${JSON.stringify({ text: 'a\u2028b' })}\n`)]);
require('node:readline')
  .createInterface({ input })
  .on('line', (line) => lines.push(line))
  .on('close', () => {
    const isJson = (line) => {
      try {
        return JSON.parse(line).text === 'a\u2028b';
      } catch {
        return false;
      }
    };
    console.log(`${process.versions.node}: ${lines.length} line${lines.length === 1 ? '' : 's'}, ${lines.some(isJson) ? '' : 'no '}JSON`);
  });
JS
seen=$(for major in 22 24; do "node_modules/node-$major/bin/node" read.cjs; done)
echo "$seen"
[ "$seen" = "22.23.3: 1 line, JSON
24.21.0: 2 lines, no JSON" ] || { echo 'readline behaves differently now' >&2; exit 1; }
