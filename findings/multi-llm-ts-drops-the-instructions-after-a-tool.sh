#!/usr/bin/env bash
# multi-llm-ts 5.1.1: after the first tool call of a run the model gets no instructions any more, and no reasoning effort.
#
# By OpenAI's reference the instructions of a response "will not be carried over" to one that continues it by previous_response_id. The library sends what
# follows a tool with that id, its outputs and the tools alone. So the system message ("never pay more than 10") holds for the step that
# calls the tool, and for none of those that read what the tool has found and go on to call others.
#
# Seen (Node 20), the fields of the requests of one run:
#   streamed, request 1: instructions "Never pay more than 10.", reasoning effort low
#   streamed, request 2: instructions none, reasoning effort none, continues resp_1
#   streamed, request 3: instructions none, reasoning effort none, continues resp_2
#   whole: the same
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 400 npm install --no-audit --no-fund --loglevel=error --ignore-scripts multi-llm-ts@5.1.1 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { igniteEngine, Message, Plugin } from 'multi-llm-ts';

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const part = { type: 'output_text', text: 'Done.', annotations: [], logprobs: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
let requests;
const server = createServer((request, answer) => {
  let text = '';
  request.on('data', (data) => (text += data)).on('end', () => {
    const body = JSON.parse(text);
    const step = requests.push(body);
    const call = { id: `fc_${step}`, type: 'function_call', call_id: `call_${step}`, name: 'look', arguments: '{}', status: 'completed' };
    const item = step < 3 ? call : message;
    const response = { id: `resp_${step}`, object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output: [item], usage };
    if (!body.stream) return answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    const events = [
      { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response },
    ];
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

class Look extends Plugin {
  isEnabled() {
    return true;
  }
  getName() {
    return 'look';
  }
  getDescription() {
    return 'Looks.';
  }
  getRunningDescription() {
    return 'Looking';
  }
  getParameters() {
    return [];
  }
  async execute() {
    return { found: 'nothing' };
  }
}
const engine = igniteEngine('openai', { apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` });
engine.addPlugin(new Look());
const model = engine.buildModel('gpt-5');
model.capabilities = { ...model.capabilities, tools: true, responses: true };
const thread = () => [new Message('system', 'Never pay more than 10.'), new Message('user', 'Look, and pay.')];
const options = { useResponsesApi: true, reasoningEffort: 'low' };

async function ask(way, go) {
  requests = [];
  await go();
  const lines = requests.map(({ instructions, reasoning, previous_response_id: before }, at) => {
    const held = `instructions ${instructions === undefined ? 'none' : JSON.stringify(instructions)}, reasoning effort ${reasoning?.effort ?? 'none'}`;
    return `${way}, request ${at + 1}: ${held}${before === undefined ? '' : `, continues ${before}`}\n`;
  });
  process.stdout.write(lines.join(''));
}
await ask('streamed', async () => {
  for await (const _ of engine.generate(model, thread(), options));
});
await ask('whole', () => engine.complete(model, thread(), options));
process.exit(0);
JS
timeout 60 node run.mjs 2>/dev/null | { grep -v '^\[openai\]' || true; } | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
streamed, request 1: instructions "Never pay more than 10.", reasoning effort low
streamed, request 2: instructions none, reasoning effort none, continues resp_1
streamed, request 3: instructions none, reasoning effort none, continues resp_2
whole, request 1: instructions "Never pay more than 10.", reasoning effort low
whole, request 2: instructions none, reasoning effort none, continues resp_1
whole, request 3: instructions none, reasoning effort none, continues resp_2
EOT
