#!/usr/bin/env bash
# @tanstack/ai-openai 0.23.1 with @tanstack/ai 0.58.0: a model's refusal is always "Refused without explanation", whatever it explained.
#
# The API announces a refusal as it announces a text: response.content_part.added with an empty part, then the words as response.refusal.delta, then
# all of them in .done. The adapter judges the part at its announcement, where it is empty by design, and ends the run before the first word.
# Where a server leaves the announcement out, the words arrive.
#
# Seen (Node 20):
#   as the API sends it: RUN_ERROR: Refused without explanation
#   without the announcement: RUN_ERROR: I will not do that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error \
  @tanstack/ai@0.58.0 @tanstack/ai-openai@0.23.1 @tanstack/openai-base@0.10.15 openai@6.49.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { chat } from '@tanstack/ai';
import { createOpenaiChat } from '@tanstack/ai-openai';

const response = (status, output) => ({ id: 'resp_1', object: 'response', created_at: 1, status, model: 'gpt-5', error: null, output });
const part = { type: 'refusal', refusal: 'I will not do that.' };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const announcement = { type: 'response.content_part.added', ...at, part: { type: 'refusal', refusal: '' } };
const events = [
  { type: 'response.created', response: response('in_progress', []) },
  { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
  announcement,
  { type: 'response.refusal.delta', ...at, delta: 'I will not' },
  { type: 'response.refusal.delta', ...at, delta: ' do that.' },
  { type: 'response.refusal.done', ...at, refusal: part.refusal },
  { type: 'response.content_part.done', ...at, part },
  { type: 'response.output_item.done', output_index: 0, item: message },
  { type: 'response.completed', response: response('completed', [message]) },
];

async function ask(name, answer) {
  const server = createServer((request, reply) => {
    request.resume().on('end', () => {
      reply.setHeader('content-type', 'text/event-stream');
      reply.end(answer.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
  const adapter = createOpenaiChat('gpt-5', 'k', { baseURL, maxRetries: 0 });
  for await (const chunk of chat({ adapter, messages: [{ role: 'user', content: 'Do it.' }] })) {
    if (chunk.type === 'RUN_ERROR') console.log(`${name}: RUN_ERROR: ${chunk.message}`);
    if (chunk.type === 'RUN_FINISHED') console.log(`${name}: RUN_FINISHED`);
  }
  server.closeAllConnections();
  server.close();
}
await ask('as the API sends it', events);
await ask('without the announcement', events.filter((event) => event !== announcement));
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
as the API sends it: RUN_ERROR: Refused without explanation
without the announcement: RUN_ERROR: I will not do that.
EOT
