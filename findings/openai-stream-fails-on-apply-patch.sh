#!/usr/bin/env bash
# openai 7.59.0: responses.stream() throws at the events in which the service streams a call of its own apply_patch tool.
#
# A model with the tool { type: 'apply_patch' } writes its patch as response.apply_patch_call_operation_diff.delta and .done. The SDK types the
# item, but not these two events, and its accumulator throws at any type that it does not know. OpenAI's page on backward compatibility counts
# "adding new event types" as compatible, so a server may send them at any time. responses.create({ stream: true }) hands the same events over.
#
# Seen (Node 20):
#   create: 9 events, the last is response.completed
#   stream: Unhandled response stream event: unknown
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import OpenAI from 'openai';

const operation = { type: 'update_file', path: 'a.txt', diff: '+tea\n' };
const item = { id: 'apc_1', type: 'apply_patch_call', call_id: 'call_1', status: 'completed', operation };
const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [] };
const place = { item_id: 'apc_1', output_index: 0 };
const added = { ...item, status: 'in_progress', operation: { ...operation, diff: '' } };
const events = [
  { type: 'response.created', response: { ...response, status: 'in_progress' } },
  { type: 'response.in_progress', response: { ...response, status: 'in_progress' } },
  { type: 'response.output_item.added', output_index: 0, item: added },
  { type: 'response.apply_patch_call_operation_diff.delta', ...place, delta: '+t' },
  { type: 'response.apply_patch_call_operation_diff.delta', ...place, delta: 'ea' },
  { type: 'response.apply_patch_call_operation_diff.delta', ...place, delta: '\n' },
  { type: 'response.apply_patch_call_operation_diff.done', ...place, diff: '+tea\n' },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...response, status: 'completed', output: [item] } },
];
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    events.forEach((event, at) => answer.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`));
    answer.end();
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });
const params = { model: 'm', input: 'Add tea.', tools: [{ type: 'apply_patch' }] };

const types = [];
for await (const { type } of await client.responses.create({ ...params, stream: true })) types.push(type);
console.log(`create: ${types.length} events, the last is ${types.at(-1)}`);
const outcome = (response) => `a response with ${response.output.length} item`;
console.log(`stream: ${await client.responses.stream(params).finalResponse().then(outcome, (error) => error.message)}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
create: 9 events, the last is response.completed
stream: Unhandled response stream event: unknown
EOT
