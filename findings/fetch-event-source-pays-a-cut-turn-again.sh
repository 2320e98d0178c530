#!/usr/bin/env bash
# @microsoft/fetch-event-source 2.0.1: a POST whose stream breaks off, or whose page goes to the background, is sent again: one question, several paid turns.
#
# The package exists to read event streams from a POST, and takes EventSource for its model: a lost connection opens the same request again after a
# second, for ever; a hidden page closes it, and a page that is seen again sends it anew. A POST of the Responses API is a new turn each time, with its tools
# and its price, and its events follow those of the first in the same onmessage, as one answer. Both are defaults; an onerror that throws and
# openWhenHidden turn them off.
#
# Seen (Node 20), a server whose answers break off, or wait, until the third:
#   the connection is lost twice: 3 responses created, "Hel" + "Hel" + "Hello."
#   the reader looks at another tab, twice: 3 responses created, "Hel" + "Hel" + "Hello."
#   with an onerror that throws: 1 response created, "Hel", then TypeError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error @microsoft/fetch-event-source@2.0.1 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { fetchEventSource } from '@microsoft/fetch-event-source';

/** The package is written for pages: as much of one as it asks for. */
globalThis.window = globalThis;
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
function lookAway() {
  for (const hidden of [true, false]) {
    document.hidden = hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  }
}

const block = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const delta = (text) => block({ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: text });
let created = 0;
let current;
const server = createServer((request, answer) => {
  request.resume().on('end', () => {
    created += 1;
    current = answer;
    const response = { id: `resp_${created}`, object: 'response', created_at: 1, model: 'm', output: [] };
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write(block({ type: 'response.created', response: { ...response, status: 'in_progress' } }));
    if (created <= 2) answer.write(delta('Hel'));
    else answer.end(delta('Hello.') + block({ type: 'response.completed', response: { ...response, status: 'completed' } }));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

async function ask(name, breakOff, options) {
  created = 0;
  const texts = [];
  const outcome = await fetchEventSource(`http://127.0.0.1:${server.address().port}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input: 'Say hello.', stream: true }),
    fetch,
    onmessage({ data }) {
      const event = JSON.parse(data);
      if (event.type !== 'response.output_text.delta') return;
      texts.push(JSON.stringify(event.delta));
      if (created <= 2) setTimeout(breakOff);
    },
    ...options,
  }).then(
    () => '',
    (error) => `, then ${error.constructor.name}`,
  );
  console.log(`${name}: ${created} response${created === 1 ? '' : 's'} created, ${texts.join(' + ')}${outcome}`);
}
const lose = () => current.destroy();
const onerror = (error) => {
  throw error;
};
await ask('the connection is lost twice', lose);
await ask('the reader looks at another tab, twice', lookAway);
await ask('with an onerror that throws', lose, { onerror });
process.exit(0);
JS
timeout 60 node run.mjs | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
the connection is lost twice: 3 responses created, "Hel" + "Hel" + "Hello."
the reader looks at another tab, twice: 3 responses created, "Hel" + "Hel" + "Hello."
with an onerror that throws: 1 response created, "Hel", then TypeError
EOT
