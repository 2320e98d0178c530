#!/usr/bin/env bash
# @openai/codex 0.171.0: a 429 without a retry-after header ends the turn after one request, as "exceeded retry limit".
#
# With the header Codex asks again, five times by default (stream_max_retries), and goes on when the limit is over. Without it nothing is retried,
# though the message says how long to wait, as OpenAI writes it, and the error tells of a limit of retries that was never approached. The same
# words in a response.failed are retried. A gateway that drops retry-after, or a server that never sent one, turns each short limit into a failed run.
#
# Seen (Node 20), a server that refuses the first request alone:
#   retry-after: 1: 2 requests, status 0, "Hello."
#   "Please try again in 1s.": 1 request, status 1, exceeded retry limit, last status: 429 Too Many Requests
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
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hello.', annotations: [] }] };
const hello = [
  { type: 'response.created', response: response('in_progress', []) },
  { type: 'response.output_item.done', output_index: 0, item: message },
  { type: 'response.completed', response: response('completed', [message], { usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } }) },
];
const stream = (events) => (reply) => {
  reply.setHeader('content-type', 'text/event-stream');
  reply.end(events.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
};
const once = (headers, message) => {
  let refused = false;
  return (reply) => {
    if (refused) return stream(hello)(reply);
    refused = true;
    const error = { message, type: 'requests', code: 'rate_limit_exceeded', param: null };
    return reply.writeHead(429, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  };
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
  console.log(`${name}: ${requests} request${requests === 1 ? '' : 's'}, status ${status}, ${failure ?? texts.join(' ')}`);
}
await ask('retry-after: 1', once({ 'retry-after': '1' }, 'Rate limit reached.'));
await ask('"Please try again in 1s."', once({}, 'Rate limit reached. Please try again in 1s.'));
process.exit(0);
JS
timeout 200 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
retry-after: 1: 2 requests, status 0, "Hello."
"Please try again in 1s.": 1 request, status 1, exceeded retry limit, last status: 429 Too Many Requests
EOT
