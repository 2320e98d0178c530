#!/usr/bin/env bash
# @openai/agents 0.20.0: a turn whose terminal event has an empty output is asked again, up to ten times, though its text has been streamed.
#
# Some servers of this API (Codex's backend by NousResearch/hermes-agent pull request 5689) send each item in response.output_item.done and leave `output` of
# response.completed empty. The Agents SDK hands the deltas to the caller, then builds the turn from the last event alone, finds nothing to do and
# no final answer, and calls the model again: ten paid turns and an error, for one question that was answered.
#
# Seen (Node 20):
#   the text was streamed 10 times: Hello.
#   MaxTurnsExceededError: Max turns (10) exceeded
#   requests: 10
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @openai/agents@0.20.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import OpenAI from 'openai';

setTracingDisabled(true);
const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const part = { type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
let requests = 0;
function events() {
  const response = { id: `resp_${requests}`, object: 'response', created_at: 1, model: 'm', error: null, output: [] };
  return [
    { type: 'response.created', response: { ...response, status: 'in_progress' } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    { type: 'response.output_text.delta', ...place, delta: 'Hello.', logprobs: [] },
    { type: 'response.output_text.done', ...place, text: 'Hello.', logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { ...response, status: 'completed', usage } },
  ];
}
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    requests += 1;
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    events().forEach((event, at) => answer.write(`data: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`));
    answer.end();
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
setDefaultOpenAIClient(new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 }));

const texts = [];
let end = 'no error';
try {
  const result = await run(new Agent({ name: 'a', model: 'm' }), 'Say hello.', { stream: true });
  for await (const event of result) if (event.data?.type === 'output_text_delta') texts.push(event.data.delta);
  await result.completed;
} catch (error) {
  end = `${error.constructor.name}: ${error.message}`;
}
console.log(`the text was streamed ${texts.length} times: ${texts[0]}`);
console.log(end);
console.log(`requests: ${requests}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
the text was streamed 10 times: Hello.
MaxTurnsExceededError: Max turns (10) exceeded
requests: 10
EOT
