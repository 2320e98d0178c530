#!/usr/bin/env bash
# @ai-sdk/openai 4.0.118 with ai 7.0.173: a Response with status "failed" is "Invalid JSON response"; what the server said about it is lost.
#
# By OpenAI's reference the `error` of a Response has a code and a message, and no `type`. The SDK's schema of it asks for one, which only the error of
# a refused request has. So generateText() throws with the words of its own parser, not retryable. In a stream the same object is
# understood, and its message handed over; `error: null` with status "failed" is even taken for an answer, with finishReason "stop".
#
# Seen (Node 20):
#   as JSON: Invalid JSON response (retryable: false)
#   with a type that the reference does not have: The model is overloaded. (retryable: false)
#   without an error: "", finish stop
#   as a stream: The model is overloaded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText } from 'ai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 3,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', incomplete_details: null, output: [], usage };
let error = { code: 'server_error', message: 'The model is overloaded.' };
const server = createServer(async (request, answer) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const response = { ...base, status: 'failed', error };
  if (JSON.parse(body).stream !== true) {
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    return;
  }
  const created = { type: 'response.created', sequence_number: 0, response: { ...base, status: 'in_progress', error: null, usage: null } };
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of [created, { type: 'response.failed', sequence_number: 1, response }]) answer.write(`data: ${JSON.stringify(event)}\n\n`);
  answer.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const model = createOpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` })('m');
const params = { model, prompt: 'Say hello.', maxRetries: 0 };

const answered = ({ text, finishReason }) => `${JSON.stringify(text)}, finish ${finishReason}`;
const thrown = ({ message, isRetryable }) => `${message} (retryable: ${isRetryable})`;
const generate = () => generateText(params).then(answered, thrown);
const said = error;
console.log(`as JSON: ${await generate()}`);
error = { ...said, type: 'server_error' };
console.log(`with a type that the reference does not have: ${await generate()}`);
error = null;
console.log(`without an error: ${await generate()}`);
error = said;
await streamText({ ...params, onError: ({ error: { message } }) => console.log(`as a stream: ${message}`) }).consumeStream();
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
as JSON: Invalid JSON response (retryable: false)
with a type that the reference does not have: The model is overloaded. (retryable: false)
without an error: "", finish stop
as a stream: The model is overloaded.
EOT
