#!/usr/bin/env bash
# @modelcontextprotocol/server-memory and server-filesystem 2026.8.31: of calls that are sent side by side, each says that it has written, and most have not.
#
# A model may call several tools in one turn, and MCP lets a client have several requests open on one session. Both official servers read
# their file, change it and write it back without a lock, so five create_entities, or five edit_file of one file, end with the change of one or two of them;
# none of the answers is an error, and edit_file shows each diff as done. Whoever runs writing tools in parallel loses an agent's memory without a word.
# MCP's hints tell which tools write, and have no word for "one at a time".
#
# Seen (Node 20):
#   server-memory, one after another: 0 errors, all kept
#   server-memory, side by side: 0 errors, writes lost
#   server-filesystem, one after another: 0 errors, all kept
#   server-filesystem, side by side: 0 errors, writes lost
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error \
  @modelcontextprotocol/server-memory@2026.8.31 @modelcontextprotocol/server-filesystem@2026.8.31 @modelcontextprotocol/sdk@1.32.2 >/dev/null
cat >run.mjs <<'JS'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const words = ['one', 'two', 'three', 'four', 'five'];

async function write(name, sideBySide, { args, env, call, kept }) {
  const transport = new StdioClientTransport({ command: process.execPath, args, env: { PATH: process.env.PATH, ...env }, stderr: 'ignore' });
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(transport);
  const results = [];
  if (sideBySide) results.push(...(await Promise.all(words.map((word) => client.callTool(call(word))))));
  else for (const word of words) results.push(await client.callTool(call(word)));
  await client.close();
  const errors = results.filter((result) => result.isError).length;
  console.log(`${name}, ${sideBySide ? 'side by side' : 'one after another'}: ${errors} errors, ${words.every(kept()) ? 'all kept' : 'writes lost'}`);
}

const server = (name) => join('node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');
function memory() {
  const file = join(mkdtempSync(join(process.cwd(), 'memory-')), 'memory.jsonl');
  return {
    args: [server('server-memory')],
    env: { MEMORY_FILE_PATH: file },
    call: (word) => ({ name: 'create_entities', arguments: { entities: [{ name: word, entityType: 'word', observations: [] }] } }),
    kept: () => {
      const text = readFileSync(file, 'utf8');
      return (word) => text.includes(`"${word}"`);
    },
  };
}
function filesystem() {
  const root = mkdtempSync(join(process.cwd(), 'files-'));
  const path = join(root, 'words.txt');
  writeFileSync(path, words.join('\n'));
  return {
    args: [server('server-filesystem'), root],
    call: (word) => ({ name: 'edit_file', arguments: { path, edits: [{ oldText: word, newText: word.toUpperCase() }] } }),
    kept: () => {
      const text = readFileSync(path, 'utf8');
      return (word) => text.includes(word.toUpperCase());
    },
  };
}
for (const sideBySide of [false, true]) await write('server-memory', sideBySide, memory());
for (const sideBySide of [false, true]) await write('server-filesystem', sideBySide, filesystem());
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
server-memory, one after another: 0 errors, all kept
server-memory, side by side: 0 errors, writes lost
server-filesystem, one after another: 0 errors, all kept
server-filesystem, side by side: 0 errors, writes lost
EOT
