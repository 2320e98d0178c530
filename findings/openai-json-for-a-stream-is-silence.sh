#!/usr/bin/env bash
# openai 7.57.0 (Node 20): a call with stream: true whose server answers 200 with a whole Response as application/json yields no event and no error.
#
# Servers that know JSON alone answer so. The SDK reads the body as an event stream without a look at its content type, finds no field of one, and
# its iteration ends: a program that prints deltas prints nothing, and takes that for the answer. `responses.stream()` of the same client does notice.
# Seen:
#   create: 0 events, no error
#   stream: request ended without sending any events
# Exits with another status than 0 when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund openai@7.57.0
cat > see.mjs <<'JS'
import { createServer } from 'node:http';
import OpenAI from 'openai';

const content = [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }];
const output = [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content }];
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', output };
const server = createServer((request, answer) => {
  request.resume().on('end', () =>
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response)),
  );
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });
const params = { model: 'm', input: 'Say hello.' };

let events = 0;
let error = 'no error';
try {
  for await (const _ of await client.responses.create({ ...params, stream: true })) events += 1;
} catch (thrown) {
  error = thrown.message;
}
console.log(`create: ${events} events, ${error}`);
console.log(`stream: ${await client.responses.stream(params).finalResponse().then(() => 'a response', (thrown) => thrown.message)}`);
process.exit(0);
JS
seen=$(node see.mjs)
echo "$seen"
[ "$seen" = $'create: 0 events, no error\nstream: request ended without sending any events' ]
