#!/usr/bin/env bash
# @ai-sdk/openai 4.0.118 and @langchain/openai 1.6.0: a stream whose text comes whole, without deltas, is an empty answer that has ended well.
#
# OpenAI's reference gives a text three times more: in response.output_text.done, in response.output_item.done, and in the response that
# response.completed has. A server that has its text at once (a cache, a filter that looks at all of it first, a replay) need not cut it up.
# Both SDKs take the terminal event's usage and status, and no text from any of the three. The openai SDK reads it.
#
# Seen (Node 20):
#   openai: "Hello."
#   @openai/agents: "Hello."
#   ai: "", finish stop
#   @langchain/openai: "", status completed
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 @openai/agents@0.20.0 ai@7.0.173 @ai-sdk/openai@4.0.118 \
  @langchain/openai@1.6.0 @langchain/core@1.4.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import { streamText } from 'ai';
import OpenAI from 'openai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, output: [] };
const part = { type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const events = [
  { type: 'response.created', response: { ...base, status: 'in_progress' } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  { type: 'response.output_text.done', ...place, text: 'Hello.', logprobs: [] },
  { type: 'response.content_part.done', ...place, part },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...base, status: 'completed', output: [item], usage } },
];
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    events.forEach((event, at) => answer.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`));
    answer.end();
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const settings = { apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` };

const openai = new OpenAI(settings);
const response = await openai.responses.stream({ model: 'm', input: 'Say hello.' }).finalResponse();
console.log(`openai: ${JSON.stringify(response.output_text)}`);

setTracingDisabled(true);
setDefaultOpenAIClient(openai);
const result = await run(new Agent({ name: 'a', model: 'm' }), 'Say hello.', { stream: true });
await result.completed;
console.log(`@openai/agents: ${JSON.stringify(result.finalOutput)}`);

const { text, finishReason } = streamText({ model: createOpenAI(settings)('m'), prompt: 'Say hello.' });
console.log(`ai: ${JSON.stringify(await text)}, finish ${await finishReason}`);

const model = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, configuration: { baseURL: settings.baseURL } });
let message;
for await (const chunk of await model.stream('Say hello.')) message = message === undefined ? chunk : message.concat(chunk);
console.log(`@langchain/openai: ${JSON.stringify(message.text)}, status ${message.response_metadata.status}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
openai: "Hello."
@openai/agents: "Hello."
ai: "", finish stop
@langchain/openai: "", status completed
EOT
