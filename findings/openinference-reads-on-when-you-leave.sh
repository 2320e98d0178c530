#!/usr/bin/env bash
# @arizeai/openinference-instrumentation-openai 4.2.7 (openai 7.59.0): once it is on, leaving a stream no longer ends the response at the server.
#
# By the SDK's own words "breaking out of a response-backed stream early aborts its request". The instrumentation splits each stream with tee(), hands one
# branch to the caller and reads the other one to its end, as fast as it comes. So a program that leaves its loop (its user pressed stop, a first sentence
# was enough) pays for all that the model goes on to write, and a reader that is slow no longer holds the server back.
#
# Seen (Node 20), a server that sends one event in 10 ms, and a loop that is left at its fourth event:
#   without it: the loop read 4 events, the connection was closed before the end
#   with it: the loop read 4 events, the server sent all 103
#   with it, and stream.controller.abort(): the loop read 4 events, the connection was closed before the end
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 @arizeai/openinference-instrumentation-openai@4.2.7 \
  >/dev/null
cat >run.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import { OpenAIInstrumentation } from '@arizeai/openinference-instrumentation-openai';
import OpenAI from 'openai';

const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const events = [
  { type: 'response.created', response: { ...response, status: 'in_progress' } },
  ...Array.from({ length: 101 }, (_, at) => ({ type: 'response.output_text.delta', ...place, delta: `${at} ` })),
  { type: 'response.completed', response: { ...response, status: 'completed' } },
];
let ended;
const server = createServer(async (request, answer) => {
  await once(request.resume(), 'end');
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  answer.on('close', () => ended.resolve(sent === events.length ? `the server sent all ${sent}` : 'the connection was closed before the end'));
  for (const [at, event] of events.entries()) {
    if (answer.destroyed) return;
    answer.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`);
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  answer.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });

async function leave(name, atTheEnd = () => {}) {
  const outcome = new Promise((resolve) => (ended = { resolve }));
  const stream = await client.responses.create({ model: 'm', input: 'Count.', stream: true });
  let read = 0;
  for await (const _ of stream) {
    read += 1;
    if (read === 4) break;
  }
  atTheEnd(stream);
  console.log(`${name}: the loop read ${read} events, ${await outcome}`);
}
await leave('without it');
new OpenAIInstrumentation().manuallyInstrument({ OpenAI });
await leave('with it');
await leave('with it, and stream.controller.abort()', (stream) => stream.controller.abort());
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
without it: the loop read 4 events, the connection was closed before the end
with it: the loop read 4 events, the server sent all 103
with it, and stream.controller.abort(): the loop read 4 events, the connection was closed before the end
EOT
