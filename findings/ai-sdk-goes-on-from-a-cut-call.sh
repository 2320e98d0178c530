#!/usr/bin/env bash
# ai 7.0.173 with @ai-sdk/openai 4.0.118: a turn that max_output_tokens cut off within a tool call is followed by another one, which no tool asked for.
#
# The response is incomplete, and so is the call in it (status "incomplete", arguments that stop in the middle). generateText() ends with finishReason
# "length" if the text or a whole call was cut off there; its page says that a step follows where tools have been called. For a call with half of its
# arguments it writes "{}" in their place, answers for the tool with an error, pays another step, and reports the finish of that one. With a whole call
# beside the half one nothing is run, nothing follows, and the finish is "length" again.
#
# Seen (Node 20):
#   half a call: 2 requests, finish stop, steps length+stop, the tool ran 0 times, resent arguments: {}
#   a whole call: 1 request, finish length, steps length, the tool ran 0 times
#   a whole and half a call: 1 request, finish length, steps length, the tool ran 0 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, tool } from 'ai';
import { z } from 'zod';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, usage };
const call = (id, text, status) => ({ id: `fc_${id}`, type: 'function_call', call_id: `call_${id}`, name: 'look', arguments: text, status });
const content = [{ type: 'output_text', text: 'Done.', annotations: [], logprobs: [] }];
const done = { ...base, id: 'resp_2', status: 'completed', output: [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content }] };
let output;
let requests;
const server = createServer(async (request, answer) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  requests.push(JSON.parse(body));
  const cut = { ...base, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output };
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(requests.length === 1 ? cut : done));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const model = createOpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` })('m');

async function run(name, items) {
  output = items;
  requests = [];
  let runs = 0;
  const look = tool({ inputSchema: z.object({ page: z.number() }), execute: () => `page ${(runs += 1)}` });
  const { finishReason, steps } = await generateText({ model, prompt: 'Look.', tools: { look }, stopWhen: isStepCount(5), maxOutputTokens: 16 });
  const resent = requests[1]?.input.find(({ type }) => type === 'function_call')?.arguments;
  console.log(
    `${name}: ${requests.length} request${requests.length === 1 ? '' : 's'}, finish ${finishReason}, steps ${steps
      .map((step) => step.finishReason)
      .join('+')}, the tool ran ${runs} times${resent === undefined ? '' : `, resent arguments: ${resent}`}`,
  );
}
await run('half a call', [call(1, '{"page":1', 'incomplete')]);
await run('a whole call', [call(1, '{"page":1}', 'completed')]);
await run('a whole and half a call', [call(1, '{"page":1}', 'completed'), call(2, '{"page":2', 'incomplete')]);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
half a call: 2 requests, finish stop, steps length+stop, the tool ran 0 times, resent arguments: {}
a whole call: 1 request, finish length, steps length, the tool ran 0 times
a whole and half a call: 1 request, finish length, steps length, the tool ran 0 times
EOT
