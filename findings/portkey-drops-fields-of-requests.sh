#!/usr/bin/env bash
# @portkey-ai/gateway 1.15.2: fields of a Responses request that its table does not have are left out on the way to OpenAI, and nobody is told.
#
# context_management and prompt_cache_retention are in OpenAI's reference; what comes next, and fields of other servers of this API, are lost as well.
# The answer is 200: a conversation that was to be compacted is not, a cache that was to last a day does not, and no header says why. Answers, on the
# other hand, pass with all of their fields, and one more, "provider".
#
# Seen (Node 20):
#   200, lost on the way: context_management prompt_cache_retention a_field_of_tomorrow
#   fields of the answer: id object created_at status model error output a_field_of_tomorrow provider
set -euo pipefail
folder=$(mktemp -d)
gateway=
trap 'test -z "$gateway" || kill "$gateway"; rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @portkey-ai/gateway@1.15.2 @hono/node-server@1.13.8 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';

const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output: [], a_field_of_tomorrow: 1 };
const request = {
  model: 'm',
  input: 'Hello.',
  background: false,
  context_management: [{ type: 'compaction', compact_threshold: 100_000 }],
  conversation: 'conv_1',
  include: ['reasoning.encrypted_content'],
  max_tool_calls: 3,
  metadata: { a: 'b' },
  prompt_cache_key: 'key',
  prompt_cache_retention: '24h',
  reasoning: { effort: 'low' },
  safety_identifier: 'someone',
  service_tier: 'flex',
  store: false,
  truncation: 'auto',
  a_field_of_tomorrow: 1,
};
let seen;
const server = createServer(async (incoming, answer) => {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  seen = JSON.parse(body);
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer k',
  'x-portkey-provider': 'openai',
  'x-portkey-custom-host': `http://127.0.0.1:${server.address().port}/v1`,
};
for (let tries = 0; ; tries += 1) {
  try {
    const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/v1/responses`, { method: 'POST', headers, body: JSON.stringify(request) });
    const lost = Object.keys(request).filter((name) => !(name in seen));
    console.log(`${answer.status}, lost on the way: ${lost.join(' ')}`);
    console.log(`fields of the answer: ${Object.keys(await answer.json()).join(' ')}`);
    break;
  } catch (error) {
    if (tries === 100) throw error;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
process.exit(0);
JS
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
node node_modules/@portkey-ai/gateway/build/start-server.js "--port=$port" --headless >/dev/null 2>&1 &
gateway=$!
timeout 60 node run.mjs "$port" | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
200, lost on the way: context_management prompt_cache_retention a_field_of_tomorrow
fields of the answer: id object created_at status model error output a_field_of_tomorrow provider
EOT
