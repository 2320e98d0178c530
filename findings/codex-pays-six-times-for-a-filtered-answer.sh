#!/usr/bin/env bash
# @openai/codex 0.171.0: an answer that the content filter has cut off is asked for again, five times, and shown each time.
#
# A response.incomplete has one of two reasons. "max_output_tokens" ends Codex's turn after one request; "content_filter" counts as "stream disconnected
# before completion". The stream was not disconnected: its terminal event came, with usage. The same input meets the same filter, so one question is
# six paid responses (stream_max_retries is 5), and the half answer stands in the output six times.
#
# Seen (Node 20):
#   max_output_tokens: 1 request, status 1, 1 message, Incomplete response returned, reason: max_output_tokens
#   content_filter: 6 requests, status 1, 6 messages, stream disconnected before completion: Incomplete response returned, reason: content_filter
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @openai/codex@0.171.0 >/dev/null
cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const response = (status, output, more) => ({ id: 'resp_1', object: 'response', created_at: 1, status, model: 'm', error: null, output, ...more });
const part = { type: 'output_text', text: 'Half an', annotations: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'incomplete', content: [part] };
const stream = (events) => (reply) => {
  reply.setHeader('content-type', 'text/event-stream');
  reply.end(events.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
};
const incomplete = (reason) => {
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return stream([
    { type: 'response.created', response: response('in_progress', []) },
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.incomplete', response: response('incomplete', [message], { incomplete_details: { reason }, usage }) },
  ]);
};

async function ask(name, answer) {
  let requests = 0;
  const server = createServer((request, reply) => {
    request.resume().on('end', () => {
      if (request.method !== 'POST') return reply.writeHead(404).end();
      requests += 1;
      return answer(reply);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const home = mkdtempSync(join(process.cwd(), 'home-'));
  const provider = ['name = "p"', `base_url = "http://127.0.0.1:${server.address().port}/v1"`, 'wire_api = "responses"', 'env_key = "KEY"'];
  writeFileSync(join(home, 'config.toml'), ['model = "gpt-5"', 'model_provider = "p"', '[model_providers.p]', ...provider, ''].join('\n'));
  const codex = join('node_modules', '.bin', 'codex');
  const child = spawn(codex, ['exec', '--skip-git-repo-check', '--json', '-C', home, 'Say hello.'], {
    env: { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, KEY: 'k' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const status = await new Promise((resolve) => child.on('close', resolve));
  server.closeAllConnections();
  server.close();
  const events = output.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const texts = events.filter(({ item }) => item?.type === 'agent_message').map(({ item }) => JSON.stringify(item.text));
  const failure = events.find(({ type }) => type === 'turn.failed')?.error.message;
  const count = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;
  console.log(`${name}: ${count(requests, 'request')}, status ${status}, ${count(texts.length, 'message')}, ${failure}`);
}
await ask('max_output_tokens', incomplete('max_output_tokens'));
await ask('content_filter', incomplete('content_filter'));
process.exit(0);
JS
timeout 200 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
max_output_tokens: 1 request, status 1, 1 message, Incomplete response returned, reason: max_output_tokens
content_filter: 6 requests, status 1, 6 messages, stream disconnected before completion: Incomplete response returned, reason: content_filter
EOT
