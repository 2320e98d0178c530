// I4, X32: slow and absent readers.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const count = 2000;
const padding = 'x'.repeat(10_000);
const many = [
  created('resp_1'),
  ...Array.from({ length: count }, (_, index) => delta(`${index}:${padding}`)),
  completed('resp_1'),
];
/** 20 MB: far more than the two ends of a socket hold. */
const flood: Script = {
  create: (peer) => peer.events(...many),
  post: (peer) => {
    peer.stream();
    for (const event of many) peer.sse(event);
    peer.endStream();
  },
};

describe('a slow reader', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `${transport}, an unread turn stops reading, and goes on when it is read`,
      flood,
      { transport },
      async ({ client, server }) => {
        const turn = client.turn(question);
        await eventually('it was asked', () => server.creates + server.posts === 1);
        // The server cannot get rid of its bytes: what it still holds no longer shrinks.
        const held = (): number => server.peer(1).socket.writableLength;
        let last = -1;
        let same = 0;
        await eventually('the server is held up', () => {
          same = held() === last ? same + 1 : 0;
          last = held();
          return same > 200 && last > 0;
        });
        assert.ok(held() > 10_000_000, `the server still holds ${held()} bytes`);
        assert.equal(turn.report.outcome, undefined);
        const { events } = await read(turn);
        assert.equal(events.length, many.length);
        assert.deepEqual(events, many);
        assert.equal(turn.report.outcome, 'completed');
      },
    );

    scenario(
      `${transport}, a slow reader loses nothing and nothing out of order`,
      flood,
      { transport },
      async ({ client }) => {
        let index = 0;
        for await (const event of client.turn(question)) {
          assert.deepEqual(event, many[index]);
          index += 1;
          if (index % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert.equal(index, many.length);
      },
    );

    scenario(
      `${transport}, response() alone drops the events and is not held up`,
      flood,
      { transport },
      async ({ client }) => {
        assert.equal((await client.turn(question).response()).status, 'completed');
      },
    );

    scenario(
      `${transport}, a turn that stays unread gives its connection back`,
      flood,
      { transport, timeouts: { unreadMs: 100 } },
      async ({ client, server }) => {
        const turn = client.turn(question);
        await eventually('it was asked', () => server.peers.length === 1);
        await server.peer(1).ended;
        const { events, thrown } = await read(turn);
        assert.equal(thrown?.code, 'unread_timeout');
        assert.deepEqual(events, many.slice(0, events.length));
        assert.ok(events.length > 0);
      },
    );

    scenario(
      `${transport}, close() waits 10 seconds, and not the 15 minutes of unreadMs, for the reader`,
      flood,
      { transport, pool: { pingMs: Infinity } },
      async ({ client, server }) => {
        const [unread, late, small] = [client.turn(question), client.turn(question), client.turn(question)];
        const dropped = small.response();
        await eventually('all were asked', () => server.creates + server.posts === 3, 30_000);
        const begun = performance.now();
        const closed = client.close();
        // Who comes in time gets all of it.
        assert.equal((await read(late)).events.length, many.length);
        assert.equal((await dropped).status, 'completed');
        await closed;
        assert.ok(performance.now() - begun < 15_000, `it took ${performance.now() - begun} ms`);
        const { events, thrown } = await read(unread);
        assert.equal(thrown?.code, 'unread_timeout');
        assert.deepEqual(events, many.slice(0, events.length));
      },
      { quick: 30, budgetMs: Infinity, timeout: 60_000 },
    );

    scenario(`${transport}, a turn left unread can be aborted`, flood, { transport }, async ({ client, server }) => {
      const turn = client.turn(question);
      await eventually('it was asked', () => server.creates + server.posts === 1);
      turn.cancel();
      await assert.rejects(turn.response(), { code: 'aborted' });
      await server.peer(1).ended;
    });
  }
});
