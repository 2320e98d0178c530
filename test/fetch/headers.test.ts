// What is known of request ids and limits over a WebSocket: the head of the upgrade's answer, and headers that come as an event.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { reply } from '../faults/server/events.js';
import { FaultServer } from '../faults/server/server.js';
import type { Json } from '../faults/server/events.js';
import type { TestContext } from 'node:test';

const head = [
  'X-Request-Id: req_upgrade',
  'x-ratelimit-remaining-requests: 41',
  'set-cookie: session=secret',
  'openai-version: 2020-10-01',
];

/** A server that greets each connection so, and says each of `events` before its answer. */
async function setUp(t: TestContext, events: Json[] = []) {
  let count = 0;
  const server = await FaultServer.start({
    upgrade: (peer) => peer.accept(Buffer.alloc(0), head.map((line) => `${line}\r\n`).join('')),
    create: (peer) => {
      count += 1;
      peer.events(...events, ...reply(`resp_${count}`, 'fine'));
    },
  });
  const fetch = createFetch({ transport: 'websocket' });
  t.after(async () => {
    fetch.destroy();
    await server.close();
  });
  return (stream: boolean, input = 'x') =>
    fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'any', input, stream }),
    });
}

describe('createFetch: headers of an answer', () => {
  for (const stream of [true, false]) {
    test(`the answer of the turn that dialled has the headers of the upgrade without cookies; later answers have no old headers, stream: ${stream}`, async (t) => {
      const ask = await setUp(t);
      const first = await ask(stream);
      assert.equal(first.headers.get('x-request-id'), 'req_upgrade');
      assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '41');
      assert.equal(first.headers.get('openai-version'), '2020-10-01');
      for (const name of ['set-cookie', 'upgrade', 'connection', 'sec-websocket-accept'])
        assert.equal(first.headers.get(name), null);
      await first.text();
      const second = await ask(stream);
      assert.equal(second.headers.get('x-request-id'), null);
      assert.equal(second.headers.get('x-ratelimit-remaining-requests'), null);
      await second.text();
    });

    test(`P60: headers that come as an event become headers of the answer, stream: ${stream}`, async (t) => {
      const headers = { 'X-Request-Id': 'req_turn', 'x-ratelimit-remaining-tokens': 7, 'x-models-etag': [['a', 'b']] };
      const ask = await setUp(t, [
        { type: 'response.metadata', headers },
        { type: 'codex.rate_limits', plan: 'pro' },
      ]);
      const response = await ask(stream);
      assert.equal(response.headers.get('x-request-id'), 'req_turn');
      assert.equal(response.headers.get('x-ratelimit-remaining-tokens'), '7');
      assert.equal(response.headers.get('x-models-etag'), 'a, b');
      const text = await response.text();
      if (stream) assert.match(text, /^event: response\.metadata\n.*\n\nevent: codex\.rate_limits\n/);
    });
  }
});
