#!/usr/bin/env bash
# @ai-sdk/openai 4.0.118 with ai 7.0.173: in a conversation that the server keeps, each step of a run adds the user's words once more, for good.
#
# With providerOptions.openai.conversation the service adds the input and the output of each response to the conversation. For the output the SDK takes that into
# account: calls and texts are not sent back. The user's messages, and the outputs of earlier tools, are sent with every step that follows a tool. So a run of four
# steps leaves the question there four times, in an order in which nobody said it; every later turn reads, and pays for, all of them.
# The Agents SDK sends only what is new.
#
# Seen (Node 20), a run of four steps with a tool, then the conversation that the server has:
#   ai: question, call 1, question, output 1, call 2, question, output 1, output 2, call 3, question, output 1, output 2, output 3, answer
#   @openai/agents: question, call 1, output 1, call 2, output 2, call 3, output 3, answer
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error ai@7.0.173 @ai-sdk/openai@4.0.118 openai@7.59.0 @openai/agents@0.20.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool as agentsTool } from '@openai/agents';
import { generateText, isStepCount, tool } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const part = { type: 'output_text', text: 'Done.', annotations: [], logprobs: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };

/** The items of the conversation, as the API adds them: the input of each response, and its output. */
let conversation;
let steps;
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    const { conversation: id, input } = JSON.parse(body);
    if (id !== 'conv_1') return answer.writeHead(400).end();
    steps += 1;
    const call = { id: `fc_${steps}`, type: 'function_call', call_id: `call_${steps}`, name: 'look', arguments: '{}', status: 'completed' };
    const output = [steps < 4 ? call : message];
    conversation.push(...(typeof input === 'string' ? [{ role: 'user' }] : input), ...output);
    const response = { id: `resp_${steps}`, object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, incomplete_details: null };
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...response, conversation: { id }, output, usage }));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const settings = { apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` };

async function ask(name, go) {
  conversation = [];
  steps = 0;
  await go();
  const words = conversation.map((item) => {
    if (item.role === 'user') return 'question';
    if (item.role === 'assistant') return 'answer';
    return `${item.type === 'function_call' ? 'call' : 'output'} ${item.call_id.at(-1)}`;
  });
  console.log(`${name}: ${words.join(', ')}`);
}
const look = { description: 'Looks.', execute: async () => 'Nothing.' };
await ask('ai', () =>
  generateText({
    model: createOpenAI(settings)('m'),
    prompt: 'What is there?',
    tools: { look: tool({ ...look, inputSchema: z.object({}) }) },
    stopWhen: isStepCount(5),
    providerOptions: { openai: { conversation: 'conv_1' } },
  }),
);
setTracingDisabled(true);
setDefaultOpenAIClient(new OpenAI(settings));
const agent = new Agent({ name: 'a', model: 'm', tools: [agentsTool({ ...look, name: 'look', parameters: z.object({}) })] });
await ask('@openai/agents', () => run(agent, 'What is there?', { conversationId: 'conv_1' }));
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
ai: question, call 1, question, output 1, call 2, question, output 1, output 2, call 3, question, output 1, output 2, output 3, answer
@openai/agents: question, call 1, output 1, call 2, output 2, call 3, output 3, answer
EOT
