#!/usr/bin/env bash
# ai 7.0.173, @strands-agents/sdk 1.19.0 and @openrouter/agent 0.8.0: leaving the loop over a stream does not end the response; it is written, and paid, to its end.
#
# `break` in a for await loop calls return() on the iterator. In the openai SDK, the Agents SDK and LangChain that closes the connection, and with it the model
# stops. These three hand out a branch of their stream, or a generator that waits where it stands; the branch ends, the connection stays open, and none
# of the three mentions that. A user who presses stop sees the text stop, and nothing else does. ai takes an AbortSignal, which ends the response.
#
# Seen (Node 20), a loop that is left at its sixth part; what the server has seen:
#   openai: the client closed the connection
#   @openai/agents: the client closed the connection
#   @langchain/openai: the client closed the connection
#   ai: all was sent
#   @strands-agents/sdk: all was sent
#   @openrouter/agent: all was sent
#   ai with an AbortSignal: the client closed the connection
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 400 npm install --no-audit --no-fund --loglevel=error openai@6.49.0 @openai/agents@0.20.0 @langchain/openai@1.6.0 @langchain/core@1.4.0 ai@7.0.173 \
  @ai-sdk/openai@4.0.118 @strands-agents/sdk@1.19.0 @openrouter/agent@0.8.0 @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, OpenAIProvider, Runner, setTracingDisabled } from '@openai/agents';
import { OpenRouter } from '@openrouter/agent';
import { Agent as StrandsAgent } from '@strands-agents/sdk';
import { OpenAIModel } from '@strands-agents/sdk/models/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 100,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 103,
};
const base = {
  ...{ id: 'resp_1', object: 'response', created_at: 1, completed_at: 2, model: 'm', error: null, incomplete_details: null, output: [] },
  ...{ instructions: null, metadata: {}, parallel_tool_calls: true, temperature: 1, top_p: 1, tool_choice: 'auto', tools: [] },
  ...{ frequency_penalty: 0, presence_penalty: 0 },
};
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const part = { type: 'output_text', text: 'word '.repeat(100), annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const events = [
  { type: 'response.created', response: { ...base, status: 'in_progress' } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  ...Array.from({ length: 100 }, () => ({ type: 'response.output_text.delta', ...place, delta: 'word ', logprobs: [] })),
  { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
  { type: 'response.content_part.done', ...place, part },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...base, status: 'completed', output: [item], usage } },
];
let ended;
const server = createServer(async (request, answer) => {
  await once(request.resume(), 'end');
  answer.on('close', () => ended.resolve(answer.writableFinished ? 'all was sent' : 'the client closed the connection'));
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [at, event] of events.entries()) {
    if (answer.destroyed) return;
    answer.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  answer.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
const settings = { apiKey: 'k', baseURL };

setTracingDisabled(true);
const runner = new Runner({ modelProvider: new OpenAIProvider({ ...settings, useResponses: true }) });
const chat = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, configuration: { baseURL } });
const strands = new OpenAIModel({ modelId: 'm', apiKey: 'k', clientConfig: { baseURL } });
const aiModel = createOpenAI(settings)('m');
const controller = new AbortController();
const clients = {
  openai: () => new OpenAI(settings).responses.create({ model: 'm', input: 'Write.', stream: true }),
  '@openai/agents': () => runner.run(new Agent({ name: 'a', model: 'm' }), 'Write.', { stream: true }),
  '@langchain/openai': () => chat.stream('Write.'),
  ai: () => streamText({ model: aiModel, prompt: 'Write.' }).textStream,
  '@strands-agents/sdk': () => new StrandsAgent({ model: strands, printer: false }).stream('Write.'),
  '@openrouter/agent': () => new OpenRouter({ apiKey: 'k', serverURL: baseURL }).callModel({ model: 'm', input: 'Write.' }).getTextStream(),
  'ai with an AbortSignal': () => streamText({ model: aiModel, prompt: 'Write.', abortSignal: controller.signal }).textStream,
};
for (const [name, start] of Object.entries(clients)) {
  const outcome = new Promise((resolve) => (ended = { resolve }));
  let parts = 0;
  for await (const _ of await start()) {
    parts += 1;
    if (parts === 6) break;
  }
  if (name.endsWith('AbortSignal')) controller.abort();
  console.log(`${name}: ${await outcome}`);
}
process.exit(0);
JS
timeout 90 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
openai: the client closed the connection
@openai/agents: the client closed the connection
@langchain/openai: the client closed the connection
ai: all was sent
@strands-agents/sdk: all was sent
@openrouter/agent: all was sent
ai with an AbortSignal: the client closed the connection
EOT
