#!/usr/bin/env bash
# @langchain/core 1.4.0 with @langchain/openai 1.6.0: whether a 429 is retried at all depends on its header and on its wording, not on maxRetries.
#
# maxRetries is "the maximum number of retries that can be made for a single call, with an exponential backoff". A 429 without retry-after is never
# retried, one with retry-after-ms alone (which OpenAI's SDK reads) is not either, and one whose message happens to say "try again in 1s" is. The rule
# came with langchainjs pull request 10674. A gateway that leaves the header out turns retries off for all such clients.
#
# Seen (Node 20), with maxRetries: 2 and a server that refuses the first request alone:
#   503: 2 requests
#   429: 1 request
#   429 with retry-after-ms: 100: 1 request
#   429 with retry-after: 1: 2 requests
#   429 that says "Please try again in 1s.": 2 requests
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @langchain/openai@1.6.0 @langchain/core@1.4.0 openai@7.59.0 zod@4.6.7 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { ChatOpenAI } from '@langchain/openai';

const content = [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }];
const output = [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content }];
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output };
let refusal;
let requests;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    requests += 1;
    const { status, headers, message } = refusal;
    const error = { message, type: 'requests', code: 'rate_limit_exceeded', param: null };
    if (requests > 1) answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
    else answer.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const configuration = { baseURL: `http://127.0.0.1:${server.address().port}/v1` };
const model = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, maxRetries: 2, configuration });

async function refuse(name, status, headers = {}, message = 'Rate limit reached.') {
  refusal = { status, headers, message };
  requests = 0;
  await model.invoke('Say hello.').catch(() => {});
  console.log(`${name}: ${requests} request${requests === 1 ? '' : 's'}`);
}
await refuse('503', 503);
await refuse('429', 429);
await refuse('429 with retry-after-ms: 100', 429, { 'retry-after-ms': '100' });
await refuse('429 with retry-after: 1', 429, { 'retry-after': '1' });
await refuse('429 that says "Please try again in 1s."', 429, {}, 'Rate limit reached. Please try again in 1s.');
process.exit(0);
JS
timeout 90 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
503: 2 requests
429: 1 request
429 with retry-after-ms: 100: 1 request
429 with retry-after: 1: 2 requests
429 that says "Please try again in 1s.": 2 requests
EOT
