// C1, C3, O4, O5: the server ends the connection at each moment, in each way. No terminal event, no success.
import assert from 'node:assert/strict';
import { answer } from './server/events.js';
import { closeFrame } from './server/frame.js';
import { read, scenario } from './scenario.js';
import type { Moment } from './server/events.js';
import type { Peer } from './server/peer.js';

/** Each way to end it, and the close code that RFC 6455 has the client report. */
const endings: readonly { name: string; end: (peer: Peer) => void; code: number }[] = [
  ...[1000, 1001, 1008, 1009, 1011, 1012, 1013, 4402].map((code) => ({
    name: `close ${code}`,
    end: (peer: Peer) => peer.close(code, `reason ${code}`),
    code,
  })),
  { name: 'close without a code', end: (peer) => peer.close(), code: 1005 },
  { name: 'FIN without a close frame', end: (peer) => peer.fin(), code: 1006 },
  { name: 'RST', end: (peer) => peer.rst(), code: 1006 },
];

/** What the server has sent before it ends it, and how far the turn is then. */
const moments: readonly { moment: Moment; phase: string }[] = [
  { moment: 'nothing', phase: 'sent' },
  { moment: 'created', phase: 'created' },
  { moment: 'in progress', phase: 'created' },
  { moment: 'a delta', phase: 'visible' },
  { moment: 'a function call', phase: 'tool' },
  { moment: 'all output', phase: 'tool' },
];

/** Codes by which a server refuses a request that it has not run: `auto` then asks once by SSE (P89, P92, P93). */
const refusals = new Set([1000, 1008, 1009]);

for (const transport of ['websocket', 'auto'] as const) {
  for (const { moment, phase } of moments) {
    for (const { name, end, code } of endings) {
      const falls = transport === 'auto' && moment === 'nothing' && refusals.has(code);
      scenario(
        `${transport}, ${name} after ${moment}: ${falls ? 'falls back once' : 'lost'}`,
        {
          create: (peer, _create, count) => {
            const { events, upTo } = answer(`resp_${peer.number}_${count}`);
            if (peer.number > 1) return peer.events(...events);
            if (upTo[moment] > 0) peer.events(...events.slice(0, upTo[moment]));
            // RST overtakes what the client has not read yet.
            if (name === 'RST') setTimeout(() => end(peer), 30);
            else end(peer);
          },
          post: (peer) => {
            peer.stream();
            peer.sse(...answer('resp_post').events);
            peer.endStream();
          },
        },
        { transport },
        async ({ server, client, warnings }) => {
          const begun = performance.now();
          const turn = client.turn({ model: 'test', input: 'hi' });
          const { events, thrown, error, text } = await read(turn);
          assert.ok(performance.now() - begun < 3000, 'it settled late');
          assert.equal(server.creates, 1);
          assert.equal(server.upgrades, 1);
          assert.equal(server.posts, falls ? 1 : 0);
          assert.equal(warnings.length, falls ? 1 : 0);
          if (falls) {
            assert.equal(text, 'hello');
            return;
          }
          assert.equal(events.length, answer('x').upTo[moment]);
          assert.equal(error, thrown);
          assert.equal(error?.code, 'connection_lost');
          assert.equal(error.phase, phase);
          assert.equal(error.closeCode, code);
          assert.equal(error.responseId, moment === 'nothing' ? undefined : 'resp_1_1');
          assert.equal(error.retryable, false);
          if (code !== 1005 && code !== 1006) assert.match(error.message, new RegExp(`reason ${code}`));
          assert.equal(turn.report.outcome, 'lost');
          // The connection is never used again.
          const next = await read(client.turn({ model: 'test', input: 'again' }, { transport: 'websocket' }));
          assert.equal(next.text, 'hello');
          assert.equal(server.upgrades, 2);
          assert.equal(server.peer(1).creates.length, 1);
        },
      );
    }
  }

  for (const { name, end } of [
    { name: 'FIN', end: (peer: Peer) => peer.fin() },
    { name: 'RST', end: (peer: Peer) => peer.rst() },
  ]) {
    scenario(
      `${transport}, ${name} before 101`,
      {
        upgrade: end,
        post: (peer) => {
          peer.stream();
          peer.sse(...answer('resp_post').events);
          peer.endStream();
        },
      },
      { transport },
      async ({ server, client, warnings }) => {
        const { text, error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(server.upgrades, 1);
        assert.equal(server.creates, 0);
        assert.equal(server.posts, transport === 'auto' ? 1 : 0);
        assert.equal(warnings.length, transport === 'auto' ? 1 : 0);
        if (transport === 'auto') return assert.equal(text, 'hello');
        assert.equal(error?.code, 'dial_failed');
        assert.equal(error.phase, 'queued');
        assert.equal(error.retryable, true);
      },
    );
  }

  for (const code of [1000, 1001, 1008, 1009, 1011, 1012, 1013, 4402]) {
    scenario(
      `${transport}, close ${code} in one segment with the 101`,
      {
        upgrade: (peer) => peer.accept(closeFrame(code, 'not here')),
        post: (peer) => {
          peer.stream();
          peer.sse(...answer('resp_post').events);
          peer.endStream();
        },
      },
      { transport },
      async ({ server, client }) => {
        const { text, error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(server.upgrades, 1);
        assert.equal(server.creates, 0);
        if (transport === 'auto') return assert.equal(text, 'hello');
        assert.ok(error?.phase === 'queued' || error?.phase === 'sending', error?.phase);
        // What the server said is not lost, though the request could not be written.
        assert.match(error.message, new RegExp(`${code}.*not here`));
      },
    );
  }
}
