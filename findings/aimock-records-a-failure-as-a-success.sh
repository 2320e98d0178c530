#!/usr/bin/env bash
# @copilotkit/aimock 1.43.0: a streamed response that failed, was cut or refused is recorded as one that has ended well, and replayed as that.
#
# Its recorder stands before the API and passes each stream on as it is, and keeps of it the text and the calls. What it replays is a stream of its own making
# that always ends with response.completed, its usage 0. So a test that is to hold what a program does with max_output_tokens, a failure or a lost
# connection, recorded from the real thing, tests the good way from the next run on, and passes. A refusal is replayed as an empty text.
#
# Seen (Node 20), what the openai SDK reads while it is recorded, then from the recording:
#   completed: completed, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
#   max_output_tokens: incomplete, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
#   failed: failed, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
#   cut: no end, "Pay 12", 0 tokens; replayed: completed, "Pay 12", 0 tokens
#   refusal: completed, refused "I will not.", 5 tokens; replayed: completed, "", 0 tokens
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @copilotkit/aimock@1.43.0 openai@7.59.0 >/dev/null
cat >run.mjs <<'JS'
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null, output: [] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const created = { type: 'response.created', response: { ...base, status: 'in_progress' } };
function message(part, delta) {
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
  const empty = part.type === 'refusal' ? { ...part, refusal: '' } : { ...part, text: '' };
  const added = { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } };
  return [created, added, { type: 'response.content_part.added', ...place, part: empty }, { ...place, ...delta }, { item }];
}
const text = { type: 'output_text', text: 'Pay 12', annotations: [], logprobs: [] };
const texts = message(text, { type: 'response.output_text.delta', delta: 'Pay 12', logprobs: [] });
const refusals = message({ type: 'refusal', refusal: 'I will not.' }, { type: 'response.refusal.delta', delta: 'I will not.' });
function whole(begun, status, more = {}) {
  const { item } = begun.at(-1);
  const done = { type: 'response.output_item.done', output_index: 0, item };
  return [...begun.slice(0, -1), done, { type: `response.${status}`, response: { ...base, status, output: [item], usage, ...more } }];
}
const cases = {
  completed: whole(texts, 'completed'),
  max_output_tokens: whole(texts, 'incomplete', { incomplete_details: { reason: 'max_output_tokens' } }),
  failed: whole(texts, 'failed', { error: { code: 'server_error', message: 'The model has failed.' } }),
  cut: texts.slice(0, -1),
  refusal: whole(refusals, 'completed'),
};
let events;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

async function read(url) {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });
  let words = '';
  let refused = '';
  let end;
  for await (const event of await client.responses.create({ model: 'm', input: 'How much?', stream: true })) {
    if (event.type === 'response.output_text.delta') words += event.delta;
    if (event.type === 'response.refusal.delta') refused += event.delta;
    if (['response.completed', 'response.incomplete', 'response.failed'].includes(event.type)) end = event.response;
  }
  const said = refused === '' ? JSON.stringify(words) : `refused ${JSON.stringify(refused)}`;
  return `${end?.status ?? 'no end'}, ${said}, ${end?.usage?.total_tokens ?? 0} tokens`;
}
for (const [name, played] of Object.entries(cases)) {
  events = played;
  mkdirSync(name);
  const providers = { openai: `http://127.0.0.1:${server.address().port}` };
  const recorder = new LLMock({ port: 0, logLevel: 'silent', record: { providers, fixturePath: name } });
  await recorder.start();
  const first = await read(recorder.url);
  for (let waits = 0; readdirSync(name).length === 0 && waits < 200; waits += 1) await sleep(50);
  await recorder.stop();
  const player = new LLMock({ port: 0, logLevel: 'silent' });
  player.loadFixtureDir(name);
  await player.start();
  console.log(`${name}: ${first}; replayed: ${await read(player.url)}`);
  await player.stop();
}
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
completed: completed, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
max_output_tokens: incomplete, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
failed: failed, "Pay 12", 5 tokens; replayed: completed, "Pay 12", 0 tokens
cut: no end, "Pay 12", 0 tokens; replayed: completed, "Pay 12", 0 tokens
refusal: completed, refused "I will not.", 5 tokens; replayed: completed, "", 0 tokens
EOT
