#!/usr/bin/env bash
# @langchain/openai 1.6.0 (with openai 7.59.0): a streamed turn that ends with response.failed looks like one that has ended well.
#
# The Responses API has four ends of a stream. LangChain reads response.completed and response.incomplete, and openai below it throws at `error`;
# response.failed is passed over: no exception, no status, no usage, and the text so far is the answer. A program may act on half a text. The same
# failure as JSON is thrown. Reported for the Python package (langchain-ai/langchain issue 39039).
#
# Seen (Node 20):
#   response.completed: "Hello.", status completed, 5 tokens
#   response.failed: "Hel", status undefined, undefined tokens
#   error: The model has failed.
#   JSON with status failed: The model has failed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @langchain/openai@1.6.0 @langchain/core@1.4.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { ChatOpenAI } from '@langchain/openai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, output: [] };
const failure = { code: 'server_error', message: 'The model has failed.' };
const part = { type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const failed = { ...base, status: 'failed', error: failure, usage };
const begun = [
  { type: 'response.created', response: { ...base, status: 'in_progress' } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  { type: 'response.output_text.delta', ...place, delta: 'Hel', logprobs: [] },
];
const rest = [
  { type: 'response.output_text.delta', ...place, delta: 'lo.', logprobs: [] },
  { type: 'response.output_text.done', ...place, text: 'Hello.', logprobs: [] },
  { type: 'response.content_part.done', ...place, part },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...base, status: 'completed', output: [item], usage } },
];
let events;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    if (events === undefined) {
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(failed));
      return;
    }
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    events.forEach((event, at) => answer.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`));
    answer.end();
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const configuration = { baseURL: `http://127.0.0.1:${server.address().port}/v1` };
const model = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, maxRetries: 0, configuration });

async function stream(sent) {
  events = sent;
  let message;
  for await (const chunk of await model.stream('Say hello.')) message = message === undefined ? chunk : message.concat(chunk);
  return `"${message.text}", status ${message.response_metadata.status}, ${message.usage_metadata?.total_tokens} tokens`;
}
const thrown = (error) => error.message.split('\n')[0];
console.log(`response.completed: ${await stream([...begun, ...rest]).catch(thrown)}`);
console.log(`response.failed: ${await stream([...begun, { type: 'response.failed', response: failed }]).catch(thrown)}`);
console.log(`error: ${await stream([...begun, { type: 'error', ...failure, param: null }]).catch(thrown)}`);
events = undefined;
console.log(`JSON with status failed: ${await model.invoke('Say hello.').then(() => 'a message', thrown)}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
response.completed: "Hello.", status completed, 5 tokens
response.failed: "Hel", status undefined, undefined tokens
error: The model has failed.
JSON with status failed: The model has failed.
EOT
