// C1, C3, O4, O5, P95, P109: the server ends the connection at each moment, in each way. No terminal event, no success.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { answer } from '../server/events.js';
import { closeFrame } from '../server/frame.js';
import { read, scenario } from '../scenario.js';
import type { Moment } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

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

/**
 * What becomes of a request that was sent and never answered. Most codes say nothing of it, and it is sent once more (P90, P91). By some a
 * server refuses what it may take over HTTP (P89, P92, P93), and without credits nothing helps (P94).
 */
type Fate = 'by SSE' | 'redialled' | 'lost';

function fateOf(transport: 'websocket' | 'auto', code: number): Fate {
  if (code === 4402) return 'lost';
  if (transport === 'auto') return 'by SSE';
  return [1000, 1008, 1009].includes(code) ? 'lost' : 'redialled';
}

/** Over this connection the server answers; `auto` meets it there, too. */
const post: NonNullable<Script['post']> = (peer) => {
  peer.stream();
  peer.sse(...answer('resp_post').events);
  peer.endStream();
};

/** 1013 asks to wait before the redial, and so does a dial that failed. */
const quick = { quick: true };

describe('a connection that the server ends', () => {
  for (const transport of ['websocket', 'auto'] as const) {
    for (const { moment, phase } of moments) {
      for (const { name, end, code } of endings) {
        const fate = moment === 'nothing' ? fateOf(transport, code) : 'lost';
        scenario(
          `${transport}, ${name} after ${moment}: ${fate}`,
          {
            create: (peer, _create, count) => {
              const { events, upTo } = answer(`resp_${peer.number}_${count}`);
              if (peer.number > 1) return peer.events(...events);
              if (upTo[moment] > 0) peer.events(...events.slice(0, upTo[moment]));
              // RST overtakes what the client has not read yet.
              if (name === 'RST') setTimeout(() => end(peer), 30);
              else end(peer);
            },
            post,
          },
          { transport },
          async ({ server, client, warnings }) => {
            const begun = performance.now();
            const turn = client.turn({ model: 'test', input: 'hi' });
            const { events, thrown, error, text } = await read(turn);
            assert.ok(performance.now() - begun < 3000, 'it settled late');
            const connections = fate === 'redialled' ? 2 : 1;
            assert.deepEqual([server.creates, server.upgrades], [connections, connections]);
            assert.equal(server.posts, fate === 'by SSE' ? 1 : 0);
            assert.equal(warnings.length, fate === 'by SSE' ? 1 : 0);
            if (fate !== 'lost') {
              assert.equal(text, 'hello');
              assert.equal(turn.report.attempts.length, 2);
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
          quick,
        );
      }
    }

    for (const { name, end } of [
      { name: 'FIN', end: (peer: Peer) => peer.fin() },
      { name: 'RST', end: (peer: Peer) => peer.rst() },
    ]) {
      scenario(
        `${transport}, ${name} before 101`,
        { upgrade: end, post },
        { transport },
        async ({ server, client, warnings }) => {
          const { text, error } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(server.creates, 0);
          assert.equal(server.upgrades, transport === 'auto' ? 1 : 2);
          assert.equal(server.posts, transport === 'auto' ? 1 : 0);
          assert.equal(warnings.length, transport === 'auto' ? 1 : 0);
          if (transport === 'auto') return assert.equal(text, 'hello');
          assert.equal(error?.code, 'dial_failed');
          assert.equal(error.phase, 'queued');
          assert.equal(error.retryable, true);
        },
        quick,
      );
    }

    for (const code of [1000, 1001, 1008, 1009, 1011, 1012, 1013, 4402]) {
      // Nothing was written, so even a close in good order leaves the request to be sent (P89).
      const fate = code === 1000 && transport === 'websocket' ? 'redialled' : fateOf(transport, code);
      scenario(
        `${transport}, close ${code} in one segment with the 101 of each dial`,
        { upgrade: (peer) => peer.accept(closeFrame(code, 'not here')), post },
        { transport },
        async ({ server, client }) => {
          const { text, error } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(server.creates, 0);
          assert.equal(server.upgrades, fate === 'redialled' ? 2 : 1);
          assert.equal(server.posts, fate === 'by SSE' ? 1 : 0);
          if (fate === 'by SSE') return assert.equal(text, 'hello');
          assert.ok(error?.phase === 'queued' || error?.phase === 'sending', error?.phase);
          // What the server said is not lost, though the request could not be written.
          assert.match(error.message, new RegExp(`${code}.*not here`));
        },
        quick,
      );
    }
  }

  scenario(
    'websocket, FIN before the first 101: dialled once more, and answered',
    {
      upgrade: (peer) => (peer.number === 1 ? peer.fin() : peer.accept()),
      create: (peer) => peer.events(...answer('resp_1').events),
    },
    { transport: 'websocket' },
    async ({ server, client }) => {
      const turn = client.turn({ model: 'test', input: 'hi' });
      assert.equal((await read(turn)).text, 'hello');
      assert.deepEqual([server.upgrades, server.creates], [2, 1]);
      assert.deepEqual(
        turn.report.attempts.map(({ error, recovery }) => [error, recovery]),
        [
          ['dial_failed', 'retry'],
          [undefined, undefined],
        ],
      );
    },
    quick,
  );
});
