#!/usr/bin/env bash
# @tanstack/ai-openai 0.23.1 with @tanstack/ai 0.58.0: a stream that ends before the end of its response is RUN_FINISHED.
#
# A response of this API is over with response.completed, .incomplete, .failed or error; a body that ends without one of them was cut off by something
# in between (a proxy's read limit ends the body in good order). The adapter finishes the run as if all had come: half a text is the answer, and half a
# tool call has the finish reason "tool_calls", gets an error for an output, and goes up with its half arguments in another paid request.
# @openai/agents 0.20.0 throws, ai 7.0.173 says "interrupted".
#
# Seen (Node 20):
#   half a text: RUN_FINISHED, finish reason stop, text "The answer is 4"; 1 request
#   half a call: RUN_FINISHED, finish reason tool_calls, text "Done."; 2 requests, resent arguments {"cents": 12
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error \
  @tanstack/ai@0.58.0 @tanstack/ai-openai@0.23.1 @tanstack/openai-base@0.10.15 openai@6.49.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { chat, toolDefinition } from '@tanstack/ai';
import { createOpenaiChat } from '@tanstack/ai-openai';
import { z } from 'zod';

const response = (status, output) => ({ id: 'resp_1', object: 'response', created_at: 1, status, model: 'gpt-5', error: null, output });
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
const call = { id: 'fc_1', type: 'function_call', status: 'in_progress', call_id: 'call_1', name: 'pay', arguments: '' };
const text = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const created = { type: 'response.created', response: response('in_progress', []) };
const part = { type: 'response.content_part.added', ...text, part: { type: 'output_text', text: '', annotations: [] } };
const said = (delta) => [created, { type: 'response.output_item.added', output_index: 0, item: message }, part, { type: 'response.output_text.delta', ...text, delta }];
const halfCall = [
  created,
  { type: 'response.output_item.added', output_index: 0, item: call },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta: '{"cents": 12' },
];
const whole = { ...message, status: 'completed', content: [{ type: 'output_text', text: 'Done.', annotations: [] }] };
const done = [...said('Done.'), { type: 'response.completed', response: response('completed', [whole]) }];

async function ask(name, answers) {
  const requests = [];
  const server = createServer(async (request, reply) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const events = answers[requests.length];
    requests.push(JSON.parse(body));
    reply.setHeader('content-type', 'text/event-stream');
    reply.end(events.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const adapter = createOpenaiChat('gpt-5', 'k', { baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });
  const pay = toolDefinition({ name: 'pay', description: 'Pays.', inputSchema: z.object({ cents: z.number() }) }).server(async () => ({ paid: true }));
  let answer = '';
  let first;
  for await (const chunk of chat({ adapter, tools: [pay], messages: [{ role: 'user', content: 'Go.' }] })) {
    if (chunk.type === 'TEXT_MESSAGE_CONTENT') answer += chunk.delta;
    if (chunk.type === 'RUN_FINISHED' || chunk.type === 'RUN_ERROR') first ??= chunk;
  }
  server.closeAllConnections();
  server.close();
  const reason = first.metadata?.tanstack?.finishReason ?? null;
  const resent = requests[1]?.input.find((item) => item.type === 'function_call').arguments;
  const count = `${requests.length} request${requests.length === 1 ? '' : 's'}`;
  console.log(`${name}: ${first.type}, finish reason ${reason}, text "${answer}"; ${count}${resent === undefined ? '' : `, resent arguments ${resent}`}`);
}
await ask('half a text', [said('The answer is 4')]);
await ask('half a call', [halfCall, done]);
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
half a text: RUN_FINISHED, finish reason stop, text "The answer is 4"; 1 request
half a call: RUN_FINISHED, finish reason tool_calls, text "Done."; 2 requests, resent arguments {"cents": 12
EOT
