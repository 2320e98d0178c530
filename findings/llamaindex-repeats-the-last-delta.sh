#!/usr/bin/env bash
# @llamaindex/openai 0.4.22 (openai 5.23.2): a streamed answer ends with its last piece five times.
#
# openaiResponses() yields a chunk for every event, and each chunk holds the last delta that was seen, also after its own event: response.output_text.done,
# response.content_part.done, response.output_item.done and response.completed repeat it once each. Whoever adds the deltas up, and @llamaindex/workflow's
# agent() does, has an answer that its model did not give. The more event types a server sends, the longer it gets. Without streaming it is right.
#
# Seen (Node 20), an answer in three deltas, then the four events that close it:
#   whole: "It rains in Oslo."
#   streamed: "It rains in Oslo.in Oslo.in Oslo.in Oslo.in Oslo."
#   agent(): "It rains in Oslo.in Oslo.in Oslo.in Oslo.in Oslo."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error \
  @llamaindex/openai@0.4.22 @llamaindex/workflow@1.1.24 llamaindex@0.12.1 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { openaiResponses } from '@llamaindex/openai';
import { agent } from '@llamaindex/workflow';

const response = (status, output) => ({ id: 'resp_1', object: 'response', created_at: 1, status, model: 'm', error: null, output });
const pieces = ['It ', 'rains ', 'in Oslo.'];
const part = { type: 'output_text', text: pieces.join(''), annotations: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const events = [
  { type: 'response.created', response: response('in_progress', []) },
  { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
  ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...at, delta })),
  { type: 'response.output_text.done', ...at, text: part.text },
  { type: 'response.content_part.done', ...at, part },
  { type: 'response.output_item.done', output_index: 0, item: message },
  { type: 'response.completed', response: response('completed', [message]) },
];
const server = createServer(async (request, reply) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { stream } = JSON.parse(body);
  reply.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
  if (!stream) reply.end(JSON.stringify(events.at(-1).response));
  else reply.end(events.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const llm = openaiResponses({ model: 'gpt-5', apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` });
const messages = [{ role: 'user', content: 'The weather?' }];
const { message: whole } = await llm.chat({ messages });
let streamed = '';
for await (const { delta } of await llm.chat({ messages, stream: true })) streamed += delta;
const { data } = await agent({ llm, tools: [] }).run('The weather?');
console.log(`whole: "${whole.content}"\nstreamed: "${streamed}"\nagent(): "${data.result}"`);
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
whole: "It rains in Oslo."
streamed: "It rains in Oslo.in Oslo.in Oslo.in Oslo.in Oslo."
agent(): "It rains in Oslo.in Oslo.in Oslo.in Oslo.in Oslo."
EOT
