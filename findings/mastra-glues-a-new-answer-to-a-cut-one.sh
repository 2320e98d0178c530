#!/usr/bin/env bash
# @mastra/core 1.71.0 with @ai-sdk/openai 4.0.118: a stream that is cut off is asked for again, and the text is both answers in one, with finishReason "stop".
#
# The body ends between two deltas, no tool is there, no error is told. The loop of the agent ends at "stop", "length", "content-filter" and "error"; the provider calls this end
# "interrupted", so a further step is run, as after a tool: a turn that nobody asked for, whose text is added to the half answer. A server that cuts each
# stream (a proxy's time limit, say) is asked maxSteps times, five by default. ai 7.0.173 gives the half text and "interrupted" after one request.
#
# Seen (Node 20):
#   mastra, the first stream is cut: "Pay to account 12Pay to account 1234.", finish stop, 2 requests
#   mastra, each stream is cut: "Pay to account 12Pay to account 12Pay to account 12Pay to account 12Pay to account 12", finish interrupted, 5 requests
#   ai, each stream is cut: "Pay to account 12", finish interrupted, 1 request
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 400 npm install --no-audit --no-fund --loglevel=error @mastra/core@1.71.0 ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { streamText } from 'ai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
let cuts;
let requests;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    requests += 1;
    const response = { id: `resp_${requests}`, object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, output: [] };
    const place = { item_id: `msg_${requests}`, output_index: 0, content_index: 0 };
    const part = { type: 'output_text', text: 'Pay to account 1234.', annotations: [], logprobs: [] };
    const item = { id: place.item_id, type: 'message', role: 'assistant', status: 'completed', content: [part] };
    const events = [
      { type: 'response.created', response: { ...response, status: 'in_progress' } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
      { type: 'response.output_text.delta', ...place, delta: 'Pay to account 12', logprobs: [] },
      { type: 'response.output_text.delta', ...place, delta: '34.', logprobs: [] },
      { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { ...response, status: 'completed', output: [item], usage } },
    ].slice(0, requests <= cuts ? 4 : undefined);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const model = createOpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` })('m');
const agent = new Agent({ id: 'a', name: 'a', instructions: 'Answer.', model });

async function ask(name, cut, start) {
  cuts = cut;
  requests = 0;
  const stream = await start();
  const [text, finish] = [await stream.text, await stream.finishReason];
  console.log(`${name}: ${JSON.stringify(text)}, finish ${finish}, ${requests} request${requests === 1 ? '' : 's'}`);
}
await ask('mastra, the first stream is cut', 1, () => agent.stream('Where do I pay?'));
await ask('mastra, each stream is cut', Infinity, () => agent.stream('Where do I pay?'));
await ask('ai, each stream is cut', Infinity, () => streamText({ model, prompt: 'Where do I pay?' }));
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
mastra, the first stream is cut: "Pay to account 12Pay to account 1234.", finish stop, 2 requests
mastra, each stream is cut: "Pay to account 12Pay to account 12Pay to account 12Pay to account 12Pay to account 12", finish interrupted, 5 requests
ai, each stream is cut: "Pay to account 12", finish interrupted, 1 request
EOT
