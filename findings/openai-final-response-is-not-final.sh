#!/usr/bin/env bash
# openai 7.59.0: finalResponse() of a stream that was cut off gives half an answer as the final response, without an error.
#
# responses.stream() is the SDK's helper that puts the events together. A body that ends between two events (a proxy at its time limit, a server
# that restarts) is an end to it: finalResponse(), done() and the "end" event come as after response.completed, and the response is the snapshot so
# far, its status "in_progress". output_text is half a text, usage is missing. The same helper for Chat Completions throws, as does that of the
# Python SDK for Responses where response.completed did not come.
#
# Seen (Node 20):
#   responses, whole: status completed, "Pay nothing to strangers.", end
#   responses, cut: status in_progress, "Pay ", end
#   responses, connection lost: OpenAIError, error
#   chat completions, cut: OpenAIError: missing finish_reason for choice 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import OpenAI from 'openai';

const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const part = { type: 'output_text', text: 'Pay nothing to strangers.', annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const begun = [
  { type: 'response.created', response: { ...response, status: 'in_progress' } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  { type: 'response.output_text.delta', ...place, delta: 'Pay ', logprobs: [] },
];
const rest = [
  { type: 'response.output_text.delta', ...place, delta: 'nothing to strangers.', logprobs: [] },
  { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
  { type: 'response.content_part.done', ...place, part },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...response, status: 'completed', output: [item] } },
];
const block = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const chunk = { id: 'c_1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const choice = { index: 0, delta: { role: 'assistant', content: 'Pay ' }, finish_reason: null };
let play;
const server = createServer((request, answer) => {
  request.resume().on('end', () => play(answer.writeHead(200, { 'content-type': 'text/event-stream' })));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });

async function ask(name, how) {
  play = how;
  const stream = client.responses.stream({ model: 'm', input: 'Whom do I pay?' });
  const ends = [];
  for (const type of ['error', 'end']) stream.on(type, () => ends.push(type));
  const outcome = await stream.finalResponse().then(
    ({ status, output_text: text }) => `status ${status}, ${JSON.stringify(text)}`,
    (error) => error.constructor.name,
  );
  await stream.done().catch(() => {});
  console.log(`${name}: ${outcome}, ${ends[0]}`);
}
await ask('responses, whole', (answer) => answer.end([...begun, ...rest].map(block).join('')));
await ask('responses, cut', (answer) => answer.end(begun.map(block).join('')));
await ask('responses, connection lost', (answer) => answer.write(begun.map(block).join(''), () => setTimeout(() => answer.destroy(), 50)));
play = (answer) => answer.end(`data: ${JSON.stringify({ ...chunk, choices: [choice] })}\n\n`);
const chat = client.chat.completions.stream({ model: 'm', messages: [{ role: 'user', content: 'Whom do I pay?' }] });
const outcome = await chat.finalChatCompletion().catch((error) => `${error.constructor.name}: ${error.message}`);
console.log(`chat completions, cut: ${outcome}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
responses, whole: status completed, "Pay nothing to strangers.", end
responses, cut: status in_progress, "Pay ", end
responses, connection lost: OpenAIError, error
chat completions, cut: OpenAIError: missing finish_reason for choice 0
EOT
