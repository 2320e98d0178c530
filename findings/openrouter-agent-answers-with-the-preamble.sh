#!/usr/bin/env bash
# @openrouter/agent 0.8.0: of a response with two messages getText() gives the first one, which is the preamble, and drops the answer.
#
# Models of this API say in a message of phase "commentary" what they are about to do, and answer in one of phase "final_answer"; one response may have
# both. getText() is "just the text content from the response" and stops at the first message. getTextStream() has both, without a word on where
# the answer begins, as has the openai SDK's output_text. The Agents SDK takes the last message.
#
# Seen (Node 20), one response, "I look at the map." and "Oslo.":
#   @openrouter/agent, getText(): "I look at the map."
#   @openrouter/agent, getTextStream(): "I look at the map.Oslo."
#   openai, output_text: "I look at the map.Oslo."
#   @openai/agents, finalOutput: "Oslo."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @openrouter/agent@0.8.0 openai@7.59.0 @openai/agents@0.20.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import { OpenRouter } from '@openrouter/agent';
import OpenAI from 'openai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = {
  ...{ id: 'resp_1', object: 'response', created_at: 1, completed_at: 2, model: 'm', error: null, incomplete_details: null, output: [] },
  ...{ instructions: null, metadata: {}, parallel_tool_calls: true, temperature: 1, top_p: 1, tool_choice: 'auto', tools: [] },
  ...{ frequency_penalty: 0, presence_penalty: 0 },
};
const messages = [
  ['commentary', 'I look at the map.'],
  ['final_answer', 'Oslo.'],
].map(([phase, text], at) => ({
  ...{ id: `msg_${at}`, type: 'message', role: 'assistant', status: 'completed', phase },
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
}));
const response = { ...base, status: 'completed', output: messages, usage };
const events = [
  { type: 'response.created', response: { ...base, status: 'in_progress' } },
  ...messages.flatMap((item, output_index) => {
    const place = { item_id: item.id, output_index, content_index: 0 };
    const [part] = item.content;
    return [
      { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
      { type: 'response.output_text.delta', ...place, delta: part.text, logprobs: [] },
      { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part },
      { type: 'response.output_item.done', output_index, item },
    ];
  }),
  { type: 'response.completed', response },
];
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    if (JSON.parse(body).stream !== true) return answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/v1`;

const openrouter = new OpenRouter({ apiKey: 'k', serverURL: url });
const question = { model: 'm', input: 'Where?' };
console.log(`@openrouter/agent, getText(): ${JSON.stringify(await openrouter.callModel(question).getText())}`);
let streamed = '';
for await (const delta of openrouter.callModel(question).getTextStream()) streamed += delta;
console.log(`@openrouter/agent, getTextStream(): ${JSON.stringify(streamed)}`);

const openai = new OpenAI({ apiKey: 'k', baseURL: url });
console.log(`openai, output_text: ${JSON.stringify((await openai.responses.create(question)).output_text)}`);
setTracingDisabled(true);
setDefaultOpenAIClient(openai);
console.log(`@openai/agents, finalOutput: ${JSON.stringify((await run(new Agent({ name: 'a', model: 'm' }), 'Where?')).finalOutput)}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
@openrouter/agent, getText(): "I look at the map."
@openrouter/agent, getTextStream(): "I look at the map.Oslo."
openai, output_text: "I look at the map.Oslo."
@openai/agents, finalOutput: "Oslo."
EOT
