#!/usr/bin/env bash
# @openai/codex 0.171.0: a refusal is shown nowhere; codex exec prints nothing and ends with status 0.
#
# A message of this API has parts of two types, output_text and refusal. Codex reads the first alone: where a model declines, its words are neither in the
# JSON lines nor in an error. A script that runs codex exec takes the silence for success.
#
# Seen (Node 20):
#   output_text: 1 request, status 0, messages: "I will not do that."
#   refusal: 1 request, status 0, messages: none
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
const stream = (events) => (reply) => {
  reply.setHeader('content-type', 'text/event-stream');
  reply.end(events.map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`).join(''));
};
const answer = (part) => {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
  return stream([
    { type: 'response.created', response: response('in_progress', []) },
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.completed', response: response('completed', [message], { usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } }) },
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
  console.log(`${name}: ${requests} request${requests === 1 ? '' : 's'}, status ${status}, ${failure ?? `messages: ${texts.join(' ') || 'none'}`}`);
}
await ask('output_text', answer({ type: 'output_text', text: 'I will not do that.', annotations: [] }));
await ask('refusal', answer({ type: 'refusal', refusal: 'I will not do that.' }));
process.exit(0);
JS
timeout 200 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
output_text: 1 request, status 0, messages: "I will not do that."
refusal: 1 request, status 0, messages: none
EOT
