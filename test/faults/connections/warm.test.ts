// A13: what is prepared ahead of turns never delays, answers or fails one.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { acceptSilent, refuse } from '../server/admission.js';
import { completed, created, reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { InputItem } from '@turnwire/client';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const webSocket = { transport: 'websocket' } as const;
const opening: InputItem[] = [{ role: 'user', content: 'a long document' }];
const question = { model: 'test', store: false, input: opening };
const isWarmUp = (create: Json): boolean => create['generate'] === false;

/** Answers turns, and warm-ups without output, as `warmed` says. */
function warming(warmed: (peer: Peer) => void): Script {
  return {
    create: (peer, create, count) => {
      if (isWarmUp(create)) warmed(peer);
      else peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));
    },
  };
}
const ready = (peer: Peer): void => peer.events(created('resp_warm'), completed('resp_warm'));

describe('warm()', () => {
  scenario('A13: warm() dials, and sends no request', warming(ready), webSocket, async ({ client, server }) => {
    await client.warm();
    assert.deepEqual([server.upgrades, server.creates], [1, 0]);
    const turn = client.turn(question);
    assert.equal((await read(turn)).text, 'fine');
    assert.equal(turn.report.attempts[0]?.reused, true);
    assert.equal(server.upgrades, 1);
    await client.warm();
    assert.equal(server.upgrades, 1);
  });

  scenario(
    'A13: a warm-up is continued by the turn, and its own response is handed to nobody',
    warming(ready),
    webSocket,
    async ({ client, server }) => {
      await client.warm({ ...question });
      const turn = client.turn({ ...question, input: [...opening, { role: 'user', content: 'what does it say?' }] });
      assert.equal((await read(turn)).text, 'fine');
      assert.equal(turn.report.plan, 'delta');
      const [prepared, asked] = server.peer(1).creates;
      assert.deepEqual([prepared?.['generate'], prepared?.['input']], [false, opening]);
      assert.equal('generate' in (asked ?? {}), false);
      assert.deepEqual(
        [asked?.['previous_response_id'], asked?.['input']],
        ['resp_warm', [{ role: 'user', content: 'what does it say?' }]],
      );
    },
  );

  scenario(
    'A13: a turn with the same input as the warm-up has a response of its own',
    warming(ready),
    webSocket,
    async ({ client }) => {
      await client.warm({ ...question });
      assert.equal((await read(client.turn(question))).text, 'fine');
    },
  );

  scenario(
    'A13: a dial of warm() that is never answered does not keep a turn waiting',
    { ...warming(ready), upgrade: (peer) => (peer.number === 1 ? acceptSilent() : peer.accept()) },
    // Whoever waited for that dial would wait for longer than the test may take.
    { ...webSocket, timeouts: { dialMs: 3_600_000 } },
    async ({ client, server }) => {
      const warm = client.warm();
      await eventually('it is dialled', () => server.peers.length === 1);
      assert.equal((await read(client.turn(question))).text, 'fine');
      assert.equal(server.upgrades, 2);
      client.destroy();
      await warm;
    },
    { quick: true },
  );

  for (const [name, warmed] of [
    ['is never answered', () => {}],
    ['has begun and never ends', (peer: Peer) => peer.events(created('resp_warm'))],
  ] as const) {
    scenario(
      `A13: a warm-up that ${name} gives its only connection to the turn`,
      warming(warmed),
      { ...webSocket, pool: { maxConnections: 1 } },
      async ({ client, server }) => {
        const warm = client.warm({ ...question });
        await eventually('it is asked', () => server.creates === 1);
        const turn = client.turn(question);
        assert.equal((await read(turn)).text, 'fine');
        assert.equal(turn.report.attempts.length, 1);
        await warm;
      },
    );
  }

  scenario(
    'A13: the failure of a warm-up is not reported, and the turn is sent in full',
    {
      ...warming((peer) => peer.rst()),
      upgrade: (peer, head) => (peer.number === 1 ? refuse(503)(peer, head) : peer.accept()),
    },
    { transport: 'auto', recovery: { refusals: 'surface' } },
    async ({ client, warnings }) => {
      await client.warm();
      await client.warm({ ...question });
      assert.equal((await read(client.turn(question))).text, 'fine');
      assert.deepEqual(warnings, []);
    },
  );

  scenario('A13: over SSE warm() does nothing', {}, { transport: 'sse' }, async ({ client, server }) => {
    await client.warm({ ...question });
    assert.equal(server.peers.length, 0);
  });
});
