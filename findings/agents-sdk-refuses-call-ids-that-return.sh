#!/usr/bin/env bash
# @openai/agents 0.20.0: a run ends with an error once a later response uses a call id that an earlier one has used.
#
# Servers of this API that count the calls of each response (call_0, call_1: llama.cpp, Kimi and Cerebras by NousResearch/hermes-agent issue 70724)
# give the second tool call of a run the id of the first, which has its output by then. The SDK takes that for a second use of one call and throws
# away a paid run at its second turn. The AI SDK and LangChain run both calls.
#
# Seen (Node 20), two responses that call, and one that says "Done.":
#   ids of their own: the tool ran 2 times, 3 requests, Done.
#   call_0 twice: the tool ran 1 time, 2 requests, ModelBehaviorError: Tool call ID call_0 was reused for a different invocation after its output was committed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @openai/agents@0.20.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';

setTracingDisabled(true);
const response = (id, output) => ({ id, object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output });
const call = (id, call_id, city) => ({ id, type: 'function_call', status: 'completed', call_id, name: 'weather', arguments: JSON.stringify({ city }) });
const text = [{ type: 'output_text', text: 'Done.', annotations: [] }];
const done = response('resp_3', [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: text }]);

async function run(name, first, second) {
  const answers = [response('resp_1', [call('fc_1', first, 'Oslo')]), response('resp_2', [call('fc_2', second, 'Bergen')]), done];
  let requests = 0;
  const server = createServer((request, answer) => {
    request.resume().on('end', () => answer.setHeader('content-type', 'application/json').end(JSON.stringify(answers[requests++])));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const openAIClient = new OpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: 'k', maxRetries: 0 });
  let ran = 0;
  const weather = tool({
    name: 'weather',
    description: 'The weather in a city.',
    parameters: z.object({ city: z.string() }),
    execute: async () => `rain, question ${(ran += 1)}`,
  });
  const agent = new Agent({ name: 'a', instructions: 'Answer.', model: 'm', tools: [weather] });
  const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses: true }) });
  const end = await runner.run(agent, 'The weather in Oslo, then in Bergen?').then(
    ({ finalOutput }) => finalOutput,
    (error) => `${error.name}: ${error.message}`,
  );
  console.log(`${name}: the tool ran ${ran} time${ran === 1 ? '' : 's'}, ${requests} requests, ${end}`);
}
await run('ids of their own', 'call_a', 'call_b');
await run('call_0 twice', 'call_0', 'call_0');
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
ids of their own: the tool ran 2 times, 3 requests, Done.
call_0 twice: the tool ran 1 time, 2 requests, ModelBehaviorError: Tool call ID call_0 was reused for a different invocation after its output was committed.
EOT
