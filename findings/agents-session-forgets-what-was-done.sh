#!/usr/bin/env bash
# @openai/agents 0.20.0: a run that fails after its tools have run leaves no trace of them in its session; the next run with that session does them again.
#
# A session keeps the conversation over several runs. It is written at the end of a run that ends well. Where the model calls a tool, the tool pays, and the
# request after it meets a 500 (or the run its maxTurns), the call and its output are in no session, and without streaming the user's words are not either. The
# error of a 500 has no state to go on from. So whoever asks again, as one does after a 500, asks a model that has never heard of a payment.
#
# Seen (Node 20), a model that pays unless its input has the output of a payment; "Pay.", then, with the same session, "Go on.":
#   all well: "Paid once.", the session has message, function_call, function_call_result, message; then "Paid once."; paid 1 time
#   a 500 behind the tool: InternalServerError without state, the session has nothing; then "Paid once."; paid 2 times
#   a 500 behind the tool, streamed: InternalServerError without state, the session has message; then "Paid once."; paid 2 times
#   maxTurns behind the tool: MaxTurnsExceededError with state, the session has nothing; then "Paid once."; paid 2 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @openai/agents@0.20.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, MemorySession, run, setDefaultOpenAIClient, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, output: [] };
const part = { type: 'output_text', text: 'Paid once.', annotations: [], logprobs: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
let calls = 0;
let requests;
let failing;
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    requests += 1;
    if (failing && requests === 2) return answer.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"Try again."}}');
    const { input, stream } = JSON.parse(body);
    const paid = Array.isArray(input) && input.some(({ type }) => type === 'function_call_output');
    if (!paid) calls += 1;
    const call = { id: `fc_${calls}`, type: 'function_call', call_id: `call_${calls}`, name: 'pay', arguments: '{}', status: 'completed' };
    const response = { ...base, status: 'completed', output: [paid ? message : call], usage };
    if (stream !== true) return answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    const events = [
      { type: 'response.created', response: { ...base, status: 'in_progress' } },
      { type: 'response.output_item.done', output_index: 0, item: response.output[0] },
      { type: 'response.completed', response },
    ];
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
setTracingDisabled(true);
setDefaultOpenAIClient(new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 }));

async function ask(name, { fails = false, ...options }) {
  const session = new MemorySession();
  let payments = 0;
  const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), execute: async () => `Payment ${(payments += 1)} is made.` });
  const agent = new Agent({ name: 'a', model: 'm', tools: [pay] });
  const say = async (words, given) => {
    requests = 0;
    try {
      const result = await run(agent, words, { session, ...given });
      await result.completed;
      return JSON.stringify(result.finalOutput);
    } catch (error) {
      return `${error.constructor.name} ${error.state === undefined ? 'without' : 'with'} state`;
    }
  };
  failing = fails;
  const first = await say('Pay.', options);
  const kept = (await session.getItems()).map(({ type }) => type ?? 'message').join(', ');
  failing = false;
  const second = await say('Go on.');
  const times = `paid ${payments} time${payments === 1 ? '' : 's'}`;
  console.log(`${name}: ${first}, the session has ${kept === '' ? 'nothing' : kept}; then ${second}; ${times}`);
}
await ask('all well', {});
await ask('a 500 behind the tool', { fails: true });
await ask('a 500 behind the tool, streamed', { fails: true, stream: true });
await ask('maxTurns behind the tool', { maxTurns: 1 });
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
all well: "Paid once.", the session has message, function_call, function_call_result, message; then "Paid once."; paid 1 time
a 500 behind the tool: InternalServerError without state, the session has nothing; then "Paid once."; paid 2 times
a 500 behind the tool, streamed: InternalServerError without state, the session has message; then "Paid once."; paid 2 times
maxTurns behind the tool: MaxTurnsExceededError with state, the session has nothing; then "Paid once."; paid 2 times
EOT
