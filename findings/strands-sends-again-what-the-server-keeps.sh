#!/usr/bin/env bash
# @strands-agents/sdk 1.19.0 (openai 6.49.0): with stateful: true a run with tools sends, at each step, all that its previous_response_id already stands for.
#
# By its own words the option "chains turns via `previous_response_id`", and without it "the full message history is sent on every turn". Within one
# invocation, where the steps of a run are, both are sent: the id of the last response, and all messages since the start. So the model reads each
# question and each call again with every step, and all of it is input to be paid; long runs meet the context limit early.
#
# Seen (Node 20), a run of four steps with a tool; what the server's model has to read, as items:
#   stateful: false: step 1: 1, step 2: 3, step 3: 5, step 4: 7 (16 in all; the question stands there once)
#   stateful: true: step 1: 1, step 2: 5, step 3: 11, step 4: 19 (36 in all; the question stands there 4 times)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @strands-agents/sdk@1.19.0 openai@6.49.0 zod@4.6.7 \
  @modelcontextprotocol/sdk@1.32.2 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, tool } from '@strands-agents/sdk';
import { OpenAIModel } from '@strands-agents/sdk/models/openai';
import { z } from 'zod';

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const part = { type: 'output_text', text: 'Done.', annotations: [], logprobs: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const call = (step) => ({ id: `fc_${step}`, type: 'function_call', call_id: `call_${step}`, name: 'look', arguments: '{}', status: 'completed' });

/** What each response stands for, as the API has it: what it was continued from, its input, and its output. */
const kept = new Map([[undefined, []]]);
let contexts;
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    const { previous_response_id: before, input } = JSON.parse(body);
    const context = [...kept.get(before), ...input];
    const step = contexts.push(context);
    const id = `resp_${kept.size}`;
    const item = step < 4 ? call(step) : message;
    kept.set(id, [...context, item]);
    const response = { id, object: 'response', created_at: 1, model: 'm', error: null, output: [] };
    const events = [
      { type: 'response.created', response: { ...response, status: 'in_progress' } },
      { type: 'response.output_item.added', output_index: 0, item: step < 4 ? { ...item, arguments: '' } : { ...item, content: [] } },
      step < 4
        ? { type: 'response.function_call_arguments.done', output_index: 0, item_id: item.id, arguments: '{}' }
        : { type: 'response.output_text.delta', output_index: 0, content_index: 0, item_id: item.id, delta: 'Done.' },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { ...response, status: 'completed', output: [item], usage } },
    ];
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
const look = tool({ name: 'look', description: 'Looks.', inputSchema: z.object({}), callback: () => 'Nothing.' });

for (const stateful of [false, true]) {
  contexts = [];
  const model = new OpenAIModel({ modelId: 'm', apiKey: 'k', stateful, clientConfig: { baseURL } });
  await new Agent({ model, tools: [look], printer: false }).invoke('What is there?');
  const steps = contexts.map((context, at) => `step ${at + 1}: ${context.length}`).join(', ');
  const all = contexts.reduce((sum, context) => sum + context.length, 0);
  const questions = contexts.at(-1).filter(({ role }) => role === 'user').length;
  console.log(`stateful: ${stateful}: ${steps} (${all} in all; the question stands there ${questions === 1 ? 'once' : `${questions} times`})`);
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
stateful: false: step 1: 1, step 2: 3, step 3: 5, step 4: 7 (16 in all; the question stands there once)
stateful: true: step 1: 1, step 2: 5, step 3: 11, step 4: 19 (36 in all; the question stands there 4 times)
EOT
