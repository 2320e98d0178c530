#!/usr/bin/env bash
# @langfuse/openai 5.11.1 and @opentelemetry/instrumentation-openai 0.21.0: streamed turns that break off are in no trace.
#
# Both end the span of a stream after the loop that hands its events on. Where the connection is lost, or the reader leaves, that line is never reached: the
# span is not exported, though the turn was paid. OpenTelemetry misses a refused request too, where it was to be streamed. A dashboard of errors
# shows none as long as all turns are streamed, and a response.failed counts as a good turn in both.
#
# Seen (Node 20), one request each:
#   langfuse, completed: 1 span, no error
#   langfuse, response.failed: 1 span, no error
#   langfuse, connection lost: no span
#   langfuse, left by its reader: no span
#   langfuse, 429: 1 span, an error
#   opentelemetry, completed: 1 span, no error
#   opentelemetry, response.failed: 1 span, no error
#   opentelemetry, connection lost: no span
#   opentelemetry, left by its reader: no span
#   opentelemetry, 429: no span
#   opentelemetry, 429 without stream: 1 span, an error
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@6.49.0 @opentelemetry/instrumentation-openai@0.21.0 \
  @opentelemetry/instrumentation@0.223.0 @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.1 @langfuse/openai@5.11.1 >/dev/null
cat >run.cjs <<'JS'
const { createServer } = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { observeOpenAI } = require('@langfuse/openai');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { OpenAIInstrumentation } = require('@opentelemetry/instrumentation-openai');
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const instrumentation = new OpenAIInstrumentation();
const exporter = new InMemorySpanExporter();
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
tracerProvider.register();
registerInstrumentations({ tracerProvider, instrumentations: [instrumentation] });
const { OpenAI } = require('openai');

const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [] };
const block = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const delta = { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hel' };
const begun = [{ type: 'response.created', response: { ...response, status: 'in_progress' } }, delta, delta].map(block).join('');
const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const error = { code: 'server_error', message: 'The model has failed.' };
const refuse = (answer) => answer.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: 'Slow down.' } }));
const cases = {
  completed: (answer) => answer.end(begun + block({ type: 'response.completed', response: { ...response, status: 'completed', usage } })),
  'response.failed': (answer) => answer.end(begun + block({ type: 'response.failed', response: { ...response, status: 'failed', error, usage } })),
  'connection lost': (answer) => answer.write(begun, () => setTimeout(() => answer.destroy(), 50)),
  'left by its reader': (answer) => answer.write(begun),
  429: refuse,
  '429 without stream': refuse,
};
let play;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    if (play !== refuse) answer.writeHead(200, { 'content-type': 'text/event-stream' });
    play(answer);
  });
});

async function ask(tracer, client, name) {
  exporter.reset();
  play = cases[name];
  try {
    const stream = await client.responses.create({ model: 'm', input: 'Hello.', stream: !name.endsWith('without stream') });
    let read = 0;
    for await (const _ of stream) {
      read += 1;
      if (read === 2 && name === 'left by its reader') break;
    }
  } catch {}
  for (let waits = 0; exporter.getFinishedSpans().length === 0 && waits < 100; waits += 1) await sleep(10);
  const spans = exporter.getFinishedSpans();
  const failed = spans.some(({ status, attributes }) => status.code === 2 || attributes['langfuse.observation.level'] === 'ERROR');
  console.log(`${tracer}, ${name}: ${spans.length === 0 ? 'no span' : `${spans.length} span, ${failed ? 'an error' : 'no error'}`}`);
}
server.listen(0, '127.0.0.1', async () => {
  const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 });
  instrumentation.disable();
  for (const name of ['completed', 'response.failed', 'connection lost', 'left by its reader', '429']) await ask('langfuse', observeOpenAI(client), name);
  instrumentation.enable();
  for (const name of ['completed', 'response.failed', 'connection lost', 'left by its reader', '429', '429 without stream'])
    await ask('opentelemetry', client, name);
  process.exit(0);
});
JS
timeout 60 node run.cjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
langfuse, completed: 1 span, no error
langfuse, response.failed: 1 span, no error
langfuse, connection lost: no span
langfuse, left by its reader: no span
langfuse, 429: 1 span, an error
opentelemetry, completed: 1 span, no error
opentelemetry, response.failed: 1 span, no error
opentelemetry, connection lost: no span
opentelemetry, left by its reader: no span
opentelemetry, 429: no span
opentelemetry, 429 without stream: 1 span, an error
EOT
