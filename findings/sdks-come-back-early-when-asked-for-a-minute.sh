#!/usr/bin/env bash
# openai 7.59.0 and ai 7.0.173: a server that asks for 60 seconds is left alone, one that asks for 61 is asked again within half a second or two.
#
# RFC 9110, 10.2.3: Retry-After says how long the client "ought to wait". Above a minute (the AI SDK: from a minute on) both SDKs put their own
# backoff in place of the wait, the shortest one that they have. So the longer a gateway or a provider asks to be spared, the sooner it is asked
# again. Neither package's documentation has the limit. OpenAI's SDK for Python gives up above two minutes instead (openai-python pull request 3555).
#
# Seen (Node 20): the second request comes
#   openai, retry-after 60: not within 4 seconds
#   openai, retry-after 61: within 4 seconds
#   ai, retry-after 59: not within 4 seconds
#   ai, retry-after 61: within 4 seconds
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText } from 'ai';
import OpenAI from 'openai';

/** Refuses the requests of one client, and says whether a second one has come within four seconds. */
async function refuse(seconds, ask) {
  let requests = 0;
  const error = { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded', param: null };
  const headers = { 'content-type': 'application/json', 'retry-after': String(seconds) };
  let second;
  const came = new Promise((resolve) => (second = resolve));
  const server = createServer((request, answer) => {
    request.resume().on('end', () => {
      requests += 1;
      answer.writeHead(429, headers).end(JSON.stringify({ error }));
      if (requests === 2) second('within 4 seconds');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  ask(`http://127.0.0.1:${server.address().port}/v1`).catch(() => {});
  return Promise.race([came, new Promise((resolve) => setTimeout(resolve, 4_000, 'not within 4 seconds'))]);
}
const openai = (baseURL) => new OpenAI({ apiKey: 'k', baseURL }).responses.create({ model: 'm', input: 'Hello.' });
const ai = (baseURL) => generateText({ model: createOpenAI({ apiKey: 'k', baseURL })('m'), prompt: 'Hello.' });
const rows = [
  ['openai, retry-after 60', refuse(60, openai)],
  ['openai, retry-after 61', refuse(61, openai)],
  ['ai, retry-after 59', refuse(59, ai)],
  ['ai, retry-after 61', refuse(61, ai)],
];
for (const [name, outcome] of rows) console.log(`${name}: ${await outcome}`);
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
openai, retry-after 60: not within 4 seconds
openai, retry-after 61: within 4 seconds
ai, retry-after 59: not within 4 seconds
ai, retry-after 61: within 4 seconds
EOT
