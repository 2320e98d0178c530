#!/usr/bin/env bash
# @langchain/openai 1.6.0 with langchain 1.5.14: a streamed tool call that was cut off is run with the arguments that had come by then.
#
# The model calls pay({ "cents": 1200 }) and max_output_tokens ends the response after `{"cents": 12`: the call is "incomplete", the response is
# "incomplete" and says why. LangChain closes the open bracket itself, and createAgent() runs pay() with 12. It does the same where the response
# failed, and where the body simply ended. Without streaming the same incomplete response runs nothing, and its answer is an empty text.
#
# Seen (Node 20):
#   a stream that completes: paid 1200; "Done."; 2 requests
#   a stream that ends with response.incomplete: paid 12; "Done."; 2 requests
#   a stream that ends with response.failed: paid 12; "Done."; 2 requests
#   a stream whose body ends: paid 12; "Done."; 2 requests
#   JSON that is incomplete: paid nothing; ""; 1 request
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error \
  langchain@1.5.14 @langchain/openai@1.6.0 @langchain/core@1.4.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';

const response = (status, output, more) => ({ id: 'resp_1', object: 'response', created_at: 1, status, model: 'm', error: null, output, ...more });
const call = (status, cents) => ({ id: 'fc_1', type: 'function_call', status, call_id: 'call_1', name: 'pay', arguments: cents });
const begun = [
  { type: 'response.created', response: response('in_progress', []) },
  { type: 'response.output_item.added', output_index: 0, item: call('in_progress', '') },
];
const argumentsSoFar = (delta) => ({ type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta });
const itemDone = (item) => ({ type: 'response.output_item.done', output_index: 0, item });
const whole = call('completed', '{"cents": 1200}');
const half = call('incomplete', '{"cents": 12');
const cutByTokens = response('incomplete', [half], { incomplete_details: { reason: 'max_output_tokens' } });
const failed = response('failed', [], { error: { code: 'server_error', message: 'The model has failed.' } });

const text = [{ type: 'output_text', text: 'Done.', annotations: [] }];
const done = response('completed', [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: text }], { id: 'resp_2' });
const doneEvents = [
  { type: 'response.created', response: response('in_progress', [], { id: 'resp_2' }) },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Done.' },
  { type: 'response.completed', response: done },
];

async function ask(name, streaming, first) {
  let requests = 0;
  const server = createServer((request, answer) => {
    request.resume().on('end', () => {
      requests += 1;
      answer.setHeader('content-type', streaming ? 'text/event-stream' : 'application/json');
      const body = requests === 1 ? first : streaming ? doneEvents : done;
      if (!streaming) answer.end(JSON.stringify(body));
      else answer.end(body.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const configuration = { baseURL: `http://127.0.0.1:${server.address().port}/v1` };
  const model = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, streaming, maxRetries: 0, configuration });
  let paid = 'nothing';
  const pay = tool(async ({ cents }) => String((paid = cents)), { name: 'pay', description: 'Pays.', schema: z.object({ cents: z.number() }) });
  const { messages } = await createAgent({ model, tools: [pay] }).invoke({ messages: [{ role: 'user', content: 'Pay.' }] });
  server.closeAllConnections();
  server.close();
  console.log(`${name}: paid ${paid}; "${messages.at(-1).text}"; ${requests} request${requests === 1 ? '' : 's'}`);
}

const half12 = [...begun, argumentsSoFar('{"cents": 12')];
const whole1200 = [...begun, argumentsSoFar(whole.arguments), itemDone(whole), { type: 'response.completed', response: response('completed', [whole]) }];
await ask('a stream that completes', true, whole1200);
await ask('a stream that ends with response.incomplete', true, [...half12, itemDone(half), { type: 'response.incomplete', response: cutByTokens }]);
await ask('a stream that ends with response.failed', true, [...half12, { type: 'response.failed', response: failed }]);
await ask('a stream whose body ends', true, half12);
await ask('JSON that is incomplete', false, cutByTokens);
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
a stream that completes: paid 1200; "Done."; 2 requests
a stream that ends with response.incomplete: paid 12; "Done."; 2 requests
a stream that ends with response.failed: paid 12; "Done."; 2 requests
a stream whose body ends: paid 12; "Done."; 2 requests
JSON that is incomplete: paid nothing; ""; 1 request
EOT
