// C6, G1, G3, P27, P105: a refusal that passes is waited for and asked again, within the budget of the turn, over both transports alike.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };

/** Refuses so many requests with this status, as each transport says it, and answers the next. */
function refusing(times: number, status: number, headers: Record<string, string> = {}): Script {
  let asked = 0;
  const isRefused = (): boolean => (asked += 1) <= times;
  const error: Json = { code: 'slow', message: 'not now', headers };
  return {
    create: (peer) => peer.events(...(isRefused() ? [{ type: 'error', status, error }] : reply('resp_1', 'fine'))),
    post: (peer) => {
      if (isRefused()) return peer.http(status, JSON.stringify({ error: { code: 'slow' } }), headers);
      peer.stream();
      peer.sse(...reply('resp_1', 'fine'));
      peer.endStream();
    },
  };
}

const quick = { quick: true };

describe('retries', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    for (const status of [409, 429, 503]) {
      scenario(
        `${transport}, ${status}: asked again after a backoff that grows, over the same connection`,
        refusing(2, status),
        { transport },
        async ({ client, server }) => {
          const turn = client.turn(question);
          assert.equal((await read(turn)).text, 'fine');
          const { attempts, outcome } = turn.report;
          assert.deepEqual(
            attempts.map(({ error, recovery }) => [error, recovery]),
            [
              ['request_refused', 'retry'],
              ['request_refused', 'retry'],
              [undefined, undefined],
            ],
          );
          // Half a second, then a second, each up to a quarter less.
          const [first = 0, second = 0, last] = attempts.map(({ delayMs }) => delayMs);
          assert.ok(first >= 375 && first <= 500 && second >= 750 && second <= 1000, `${first} and ${second} ms`);
          assert.deepEqual([last, outcome], [0, 'completed']);
          assert.equal(server.creates + server.posts, 3);
          assert.equal(server.peers.length, 1);
        },
        quick,
      );
    }

    for (const status of [408, 500, 502, 504]) {
      scenario(
        `C2, ${transport}, ${status}: the turn may have begun, and is sent again once`,
        refusing(2, status),
        { transport },
        async ({ client, server }) => {
          const turn = client.turn(question);
          const { error } = await read(turn);
          assert.deepEqual([error?.code, error?.status, error?.retryable], ['request_refused', status, false]);
          assert.equal(server.creates + server.posts, 2);
        },
        quick,
      );

      for (const [why, options, more] of [
        ['with effects', {}, { conversation: 'conv_1' }],
        ["with replay: 'unsent'", { recovery: { replay: 'unsent' } }, {}],
      ] as const) {
        scenario(
          `C2, ${transport}, ${status}, ${why}: the turn may have begun, and is not sent again`,
          refusing(2, status),
          { transport, ...options },
          async ({ client, server }) => {
            assert.equal((await read(client.turn({ ...question, ...more }))).error?.status, status);
            assert.equal(server.creates + server.posts, 1);
          },
          quick,
        );
      }
    }

    scenario(
      `${transport}, the wait is the one that the server asks for, and a tenth more at most`,
      refusing(1, 429, { 'retry-after': '3' }),
      { transport },
      async ({ client }) => {
        const turn = client.turn(question);
        assert.equal((await read(turn)).text, 'fine');
        const [refused] = turn.report.attempts;
        assert.ok(
          refused !== undefined && refused.delayMs >= 3000 && refused.delayMs <= 3300,
          `${refused?.delayMs} ms`,
        );
        // A timer may fire a fraction early.
        assert.ok((turn.report.totalMs ?? 0) > 2900, 'it did not wait');
      },
      quick,
    );

    for (const [name, script, recovery, asks] of [
      ['refused each time', refusing(9, 503), {}, 4],
      ['refused each time, with recovery.maxAttempts: 2', refusing(9, 503), { maxAttempts: 2 }, 2],
      ['refused for longer than the budget', refusing(9, 429, { 'retry-after': '61' }), {}, 1],
      ['refused for longer than recovery.budgetMs', refusing(9, 429, { 'retry-after': '3' }), { budgetMs: 2000 }, 1],
      ['with recovery.refusals: surface', refusing(9, 503), { refusals: 'surface' }, 1],
      ['with recovery.replay: never', refusing(9, 503), { replay: 'never' }, 1],
    ] as const) {
      scenario(
        `${transport}, ${name}: the refusal surfaces after ${asks} requests`,
        script,
        { transport, recovery },
        async ({ client, server }) => {
          const turn = client.turn(question);
          const { error, events } = await read(turn);
          assert.equal(error?.code, 'request_refused');
          assert.equal(error.retryable, true);
          assert.deepEqual(events, []);
          assert.equal(server.creates + server.posts, asks);
          assert.deepEqual([turn.report.attempts.at(-1)?.recovery, turn.report.outcome], ['surface', undefined]);
        },
        quick,
      );
    }

    scenario(
      `${transport}, an abort during the wait: no further request is sent`,
      refusing(1, 429, { 'retry-after': '30' }),
      { transport },
      async ({ client, server }) => {
        const turn = client.turn(question);
        const settled = assert.rejects(turn.response(), { code: 'aborted', phase: 'sent' });
        while (turn.report.attempts[0]?.recovery !== 'retry') await new Promise((resolve) => setImmediate(resolve));
        turn.cancel();
        await settled;
        assert.equal(server.creates + server.posts, 1);
        assert.equal(turn.report.attempts.length, 1);
      },
    );
  }
});
