#!/usr/bin/env bash
# openai 7.59.0: an event without data in a stream, which is no event by the standard of event streams, ends the iteration with a SyntaxError.
#
# WHATWG HTML, 9.2.6: where "the data buffer is an empty string", the event is dropped. So a server may keep a stream open with a bare "event: ping".
# The SDK takes the empty data for JSON, prints two lines on standard error, and throws away the answer that follows. eventsource-parser 4.1.3
# drops the block, as the standard says.
#
# Seen (Node 20):
#   a comment: 2 events
#   an event without data: SyntaxError: Error reading response: malformed server-sent event JSON.
#   eventsource-parser: 2 events
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 eventsource-parser@4.1.3 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';

const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [] };
const block = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const created = block({ type: 'response.created', sequence_number: 0, response: { ...response, status: 'in_progress' } });
const completed = block({ type: 'response.completed', sequence_number: 1, response: { ...response, status: 'completed' } });
let body;
const server = createServer((request, answer) => {
  request.resume().on('end', () => answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(body));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });

async function read(between) {
  body = created + between + completed;
  let events = 0;
  try {
    for await (const _ of await client.responses.create({ model: 'm', input: 'Hello.', stream: true })) events += 1;
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
  return `${events} events`;
}
console.log(`a comment: ${await read(': ping\n\n')}`);
console.log(`an event without data: ${await read('event: ping\n\n')}`);
let events = 0;
const parser = createParser({ onEvent: () => (events += 1) });
parser.feed(body);
console.log(`eventsource-parser: ${events} events`);
process.exit(0);
JS
timeout 60 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
a comment: 2 events
an event without data: SyntaxError: Error reading response: malformed server-sent event JSON.
eventsource-parser: 2 events
EOT
