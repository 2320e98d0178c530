#!/usr/bin/env bash
# @opentelemetry/instrumentation-openai 0.21.0 and @traceloop/instrumentation-openai 0.27.0: beside openai 7 they are switched on, trace nothing, and say nothing.
#
# Both are for openai "<7", and 7 is what npm installs today. They ask for no version as a peer, so npm does not object; at run time they leave the package
# alone without a line in the log, and all traces, token counts and alarms end with an update of the SDK. An application whose turns are not
# traced looks like an application without turns.
#
# Seen (Node 20), the spans of a call each:
#   opentelemetry, openai 6.49.0: chat completions 1, responses 1, lines logged 0
#   opentelemetry, openai 7.59.0: chat completions 0, responses 0, lines logged 0
#   traceloop, openai 6.49.0: chat completions 1, responses 1, lines logged 0
#   traceloop, openai 7.59.0: chat completions 0, responses 0, lines logged 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 6.49.0 7.59.0; do
  mkdir "$version"
  echo '{ "private": true }' >"$version/package.json"
  timeout 300 npm install --prefix "$version" --no-audit --no-fund --loglevel=error "openai@$version" @opentelemetry/instrumentation-openai@0.21.0 \
    @traceloop/instrumentation-openai@0.27.0 @opentelemetry/instrumentation@0.223.0 @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.1 >/dev/null
done
cat >run.cjs <<'JS'
const { createServer } = require('node:http');
const { createRequire } = require('node:module');
const { setTimeout: sleep } = require('node:timers/promises');

const [version, tracer] = process.argv.slice(2);
const from = createRequire(`${process.cwd()}/${version}/`);
const { registerInstrumentations } = from('@opentelemetry/instrumentation');
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = from('@opentelemetry/sdk-trace-node');
const { OpenAIInstrumentation } = from(tracer === 'traceloop' ? '@traceloop/instrumentation-openai' : '@opentelemetry/instrumentation-openai');
let logged = 0;
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream);
  stream.write = (...args) => ((logged += 1), write(...args));
}
const exporter = new InMemorySpanExporter();
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
registerInstrumentations({ tracerProvider, instrumentations: [new OpenAIInstrumentation()] });
const { OpenAI } = from('openai');

const part = { type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] };
const output = [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] }];
const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, output, usage };
const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello.', refusal: null }, finish_reason: 'stop', logprobs: null }];
const tokens = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const completion = { id: 'c_1', object: 'chat.completion', created: 1, model: 'm', choices, usage: tokens };
const server = createServer((request, answer) => {
  const whole = request.url.endsWith('/responses') ? response : completion;
  request.resume().on('end', () => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole)));
});
async function spansOf(call) {
  exporter.reset();
  await call();
  for (let waits = 0; exporter.getFinishedSpans().length === 0 && waits < 50; waits += 1) await sleep(10);
  return exporter.getFinishedSpans().length;
}
server.listen(0, '127.0.0.1', async () => {
  const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` });
  const chat = await spansOf(() => client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello.' }] }));
  const turns = await spansOf(() => client.responses.create({ model: 'm', input: 'Hello.' }));
  console.log(`${tracer}, openai ${version}: chat completions ${chat}, responses ${turns}, lines logged ${logged}`);
  process.exit(0);
});
JS
for tracer in opentelemetry traceloop; do
  for version in 6.49.0 7.59.0; do timeout 60 node run.cjs "$version" "$tracer"; done
done 2>&1 | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
opentelemetry, openai 6.49.0: chat completions 1, responses 1, lines logged 0
opentelemetry, openai 7.59.0: chat completions 0, responses 0, lines logged 0
traceloop, openai 6.49.0: chat completions 1, responses 1, lines logged 0
traceloop, openai 7.59.0: chat completions 0, responses 0, lines logged 0
EOT
