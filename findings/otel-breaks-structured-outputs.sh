#!/usr/bin/env bash
# @opentelemetry/instrumentation-openai 0.21.0 (openai 6.49.0): once it is on, responses.parse() throws away each answer that it has paid for.
#
# parse() is the SDK's own method for structured outputs. It reads the body of a promise that the instrumentation has read already: the answer came with
# status 200 and was right, and the caller gets a TypeError of fetch. The SDK takes that for no failure of the connection and does not retry; a
# program around it may, and pays again. The span says that all was well. 0.22.0 does the same. Open as
# opentelemetry-js-contrib issue 3586.
#
# Seen (Node 20):
#   without it: {"city":"Oslo"}, 1 request
#   with it: TypeError: Body is unusable: Body has already been read, 1 request, spans: chat m UNSET
#   with it, responses.create(): {"city":"Oslo"}, 1 request, spans: chat m UNSET
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@6.49.0 @opentelemetry/instrumentation-openai@0.21.0 \
  @opentelemetry/instrumentation@0.223.0 @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.1 >/dev/null
cat >run.cjs <<'JS'
const { createServer } = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { SpanStatusCode } = require('@opentelemetry/api');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { OpenAIInstrumentation } = require('@opentelemetry/instrumentation-openai');
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const instrumentation = new OpenAIInstrumentation();
const exporter = new InMemorySpanExporter();
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
registerInstrumentations({ tracerProvider, instrumentations: [instrumentation] });
const { OpenAI } = require('openai');

const part = { type: 'output_text', text: '{"city":"Oslo"}', annotations: [], logprobs: [] };
const output = [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] }];
const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output, usage };
let requests = 0;
const server = createServer((request, answer) => {
  requests += 1;
  request.resume().on('end', () => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response)));
});
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const question = { model: 'm', input: 'Where?', text: { format: { type: 'json_schema', name: 'place', strict: true, schema } } };

async function ask(name, send) {
  requests = 0;
  exporter.reset();
  const outcome = await send().then(JSON.stringify, (error) => `${error.constructor.name}: ${error.message}`);
  for (let waits = 0; instrumentation.isEnabled() && exporter.getFinishedSpans().length === 0 && waits < 200; waits += 1) await sleep(10);
  const spans = exporter.getFinishedSpans().map((span) => `${span.name} ${SpanStatusCode[span.status.code]}`);
  const traced = spans.length === 0 ? '' : `, spans: ${spans.join(', ')}`;
  console.log(`${name}: ${outcome}, ${requests} request${requests === 1 ? '' : 's'}${traced}`);
}
server.listen(0, '127.0.0.1', async () => {
  const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` });
  const parse = async () => (await client.responses.parse(question)).output_parsed;
  instrumentation.disable();
  await ask('without it', parse);
  instrumentation.enable();
  await ask('with it', parse);
  await ask('with it, responses.create()', async () => JSON.parse((await client.responses.create(question)).output_text));
  process.exit(0);
});
JS
timeout 60 node run.cjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
without it: {"city":"Oslo"}, 1 request
with it: TypeError: Body is unusable: Body has already been read, 1 request, spans: chat m UNSET
with it, responses.create(): {"city":"Oslo"}, 1 request, spans: chat m UNSET
EOT
