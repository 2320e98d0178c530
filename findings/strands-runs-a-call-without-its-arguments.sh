#!/usr/bin/env bash
# @strands-agents/sdk 1.19.0 (openai 6.49.0): a tool whose call was cut off before its arguments is run, with {}.
#
# The model calls remove({ "folder": "drafts" }), and max_output_tokens ends the response after the name. Call and response are "incomplete" and say so.
# The SDK puts {} in place of the arguments that have not come, and reports the stop reason "toolUse" in place of "maxTokens". A tool whose arguments are all
# optional takes that for a call: this one would remove everything. A stream whose body ends there is run the same way; one that is cut a few bytes
# later, within the arguments, is an error. A text that max_output_tokens cut off is one too.
#
# Seen (Node 20):
#   a call that is complete: removed ["drafts"], "Done.", 2 requests
#   response.incomplete before the arguments: removed ["everything"], "Done.", 2 requests
#   the body ends before the arguments: removed ["everything"], "Done.", 2 requests
#   response.incomplete within the arguments: removed [], ModelError, 1 request
#   response.incomplete within a text: removed [], MaxTokensError, 1 request
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @strands-agents/sdk@1.19.0 openai@6.49.0 zod@4.6.7 @modelcontextprotocol/sdk@1.32.2 \
  >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { Agent, tool } from '@strands-agents/sdk';
import { OpenAIModel } from '@strands-agents/sdk/models/openai';
import { z } from 'zod';

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, output: [], usage };
const place = { output_index: 0, content_index: 0, item_id: 'msg_1' };
const created = { type: 'response.created', response: { ...base, status: 'in_progress' } };
const added = (item) => ({ type: 'response.output_item.added', output_index: 0, item });
const done = (item) => ({ type: 'response.output_item.done', output_index: 0, item });
const completed = { type: 'response.completed', response: { ...base, status: 'completed' } };
const cut = { type: 'response.incomplete', response: { ...base, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } } };

const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
const text = [created, added(message), { type: 'response.output_text.delta', ...place, delta: 'Done.' }];
const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'remove', arguments: '', status: 'in_progress' };
const deltaOf = (delta) => ({ type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_1', delta });
const whole = '{"folder":"drafts"}';
const cases = {
  'a call that is complete': [created, added(call), deltaOf(whole), done({ ...call, arguments: whole, status: 'completed' }), completed],
  'response.incomplete before the arguments': [created, added(call), done({ ...call, status: 'incomplete' }), cut],
  'the body ends before the arguments': [created, added(call)],
  'response.incomplete within the arguments': [created, added(call), deltaOf('{"fol'), done({ ...call, arguments: '{"fol', status: 'incomplete' }), cut],
  'response.incomplete within a text': [...text, cut],
};
let events;
let requests;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    requests += 1;
    const body = requests > 1 ? [...text, completed] : events;
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(body.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`).join(''));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${server.address().port}/v1`;

for (const [name, played] of Object.entries(cases)) {
  events = played;
  requests = 0;
  const removed = [];
  const remove = tool({
    name: 'remove',
    description: 'Removes the drafts of a folder, or of all folders.',
    inputSchema: z.object({ folder: z.string().optional() }),
    callback: ({ folder = 'everything' }) => `removed ${removed[removed.push(folder) - 1]}`,
  });
  const model = new OpenAIModel({ modelId: 'm', apiKey: 'k', clientConfig: { baseURL, maxRetries: 0 } });
  const outcome = await new Agent({ model, tools: [remove], printer: false }).invoke('Tidy up.').then(
    (result) => JSON.stringify(String(result)),
    (error) => error.constructor.name,
  );
  console.log(`${name}: removed ${JSON.stringify(removed)}, ${outcome}, ${requests} request${requests === 1 ? '' : 's'}`);
}
process.exit(0);
JS
timeout 60 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
a call that is complete: removed ["drafts"], "Done.", 2 requests
response.incomplete before the arguments: removed ["everything"], "Done.", 2 requests
the body ends before the arguments: removed ["everything"], "Done.", 2 requests
response.incomplete within the arguments: removed [], ModelError, 1 request
response.incomplete within a text: removed [], MaxTokensError, 1 request
EOT
