#!/usr/bin/env bash
# eventsource 4.1.1: lastEventId of an event without an id of its own is empty; a program that keeps it to go on from forgets where it was.
#
# WHATWG HTML, 9.2.6: an event's lastEventId is "the last event ID string of the event source", which stays until another id comes. Servers of long turns give an
# id now and then, or to the events that one may go on from. The package keeps the id for its own reconnects and hands out "" in between, so the page that
# stores event.lastEventId with each event, for its next start, asks for the turn from the beginning, and shows its words twice.
# undici's EventSource does as the standard says.
#
# Seen (Node 20), three events, of which the first has id 7; then the same connection is lost:
#   eventsource: lastEventId "7" "" "", reconnects with last-event-id 7
#   undici: lastEventId "7" "7" "7", reconnects with last-event-id 7
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error eventsource@4.1.1 undici@7.30.2 >/dev/null
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { EventSource as Npm } from 'eventsource';
import { EventSource as Undici } from 'undici';

let asked;
const server = createServer((request, answer) => {
  asked(request.headers['last-event-id']);
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  answer.end('retry: 50\nid: 7\ndata: one\n\ndata: two\n\ndata: three\n\n');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
for (const [name, Source] of Object.entries({ eventsource: Npm, undici: Undici })) {
  const requests = [];
  const ids = [];
  let source;
  await new Promise((resolve) => {
    asked = (id) => {
      requests.push(id);
      if (requests.length === 2) resolve();
    };
    source = new Source(`http://127.0.0.1:${server.address().port}/v1/responses/resp_1?stream=true`);
    source.onmessage = (event) => {
      if (requests.length === 1) ids.push(JSON.stringify(event.lastEventId));
    };
  });
  source.close();
  console.log(`${name}: lastEventId ${ids.join(' ')}, reconnects with last-event-id ${requests[1]}`);
}
process.exit(0);
JS
timeout 60 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
eventsource: lastEventId "7" "" "", reconnects with last-event-id 7
undici: lastEventId "7" "7" "7", reconnects with last-event-id 7
EOT
