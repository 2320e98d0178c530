#!/usr/bin/env bash
# @copilotkit/aimock 1.43.0: a Response that comes as JSON is recorded as "Could not detect response format", and replayed as that, with status 200.
#
# The recorder hands the real answer on, so the run that records goes well. The recording is an error of its own and the upstream's status; the
# next run gets 200 and an object with an error. The openai SDK takes a 200 for a Response: nothing is thrown, and output_text and output are undefined.
# Streams of the Responses API are recorded, and so is the JSON of Chat Completions.
#
# Seen (Node 20), what the openai SDK reads while it is recorded, then from the recording:
#   responses.create(): "Hello."; replayed: undefined, error: Could not detect response format from upstream
#   responses.create({ stream: true }): "Hello."; replayed: "Hello."
#   chat.completions.create(): "Hello."; replayed: "Hello."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @copilotkit/aimock@1.43.0 openai@7.59.0 >/dev/null
cat >run.mjs <<'JS'
import { mkdtempSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const part = { type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output: [item], usage };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const events = [
  { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  { type: 'response.output_text.delta', ...place, delta: 'Hello.', logprobs: [] },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response },
];
const choice = { index: 0, message: { role: 'assistant', content: 'Hello.', refusal: null }, finish_reason: 'stop', logprobs: null };
const tokens = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const completion = { id: 'c_1', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage: tokens };
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    if (JSON.parse(body).stream === true) {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
      return;
    }
    const whole = request.url.endsWith('/responses') ? response : completion;
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const question = { model: 'm', input: 'Say hello.' };
const ways = {
  async 'responses.create()'(client) {
    const { output_text: text, error } = await client.responses.create(question);
    return `${JSON.stringify(text)}${error ? `, error: ${error.message}` : ''}`;
  },
  async 'responses.create({ stream: true })'(client) {
    let text = '';
    for await (const event of await client.responses.create({ ...question, stream: true })) text += event.delta ?? '';
    return JSON.stringify(text);
  },
  async 'chat.completions.create()'(client) {
    const { choices } = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Say hello.' }] });
    return JSON.stringify(choices[0].message.content);
  },
};
for (const [name, ask] of Object.entries(ways)) {
  const fixturePath = mkdtempSync('recording-');
  const through = async (mock) => {
    await mock.start();
    const outcome = await ask(new OpenAI({ apiKey: 'k', baseURL: `${mock.url}/v1`, maxRetries: 0 }));
    for (let waits = 0; readdirSync(fixturePath).length === 0 && waits < 200; waits += 1) await sleep(50);
    await mock.stop();
    return outcome;
  };
  const providers = { openai: `http://127.0.0.1:${server.address().port}` };
  const recorded = await through(new LLMock({ port: 0, logLevel: 'silent', record: { providers, fixturePath } }));
  const player = new LLMock({ port: 0, logLevel: 'silent' });
  player.loadFixtureDir(fixturePath);
  console.log(`${name}: ${recorded}; replayed: ${await through(player)}`);
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
responses.create(): "Hello."; replayed: undefined, error: Could not detect response format from upstream
responses.create({ stream: true }): "Hello."; replayed: "Hello."
chat.completions.create(): "Hello."; replayed: "Hello."
EOT
