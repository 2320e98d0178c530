// Q5: a server that takes previous_response_id and ignores it.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Caller } from '../caller.js';
import { asked, created, delta, reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const continues = (create: Json | undefined): boolean => create?.['previous_response_id'] !== undefined;
const itemsIn = (create: Json): number => (Array.isArray(create['input']) ? create['input'].length : 1);

/** Answers with how much it was given; its beginning names what `names` says, if that says anything. */
const ignoring =
  (names: Json): ((peer: Peer, create: Json, count: number) => void) =>
  (peer, create, count) => {
    peer.echoes = false;
    const id = `resp_${peer.number}_${count}`;
    peer.events(...reply(id, `saw ${itemsIn(create)} items`, continues(create) ? names : {}));
  };

describe('previous_response_id that a server ignores', () => {
  for (const [what, names] of Object.entries<Json>({
    'names null': { previous_response_id: null },
    'names another response': { previous_response_id: 'resp_0' },
    'names nothing': {},
  }))
    scenario(
      `Q5: a server that ${what}: detected before any event is handed over, and sent every later turn in full`,
      { create: ignoring(names) },
      { transport: 'websocket' },
      async ({ client, server, warnings }) => {
        const caller = new Caller(client);
        assert.equal((await caller.ask('one')).text, 'saw 1 items');
        const second = await caller.ask('two');
        assert.equal(second.text, 'saw 3 items');
        assert.equal(second.plan, 'full, id_ignored');
        assert.deepEqual(
          second.turn.report.attempts.map(({ plan, phase, error, recovery }) => [plan, phase, error, recovery]),
          [
            ['delta', 'sent', 'chain_ignored', 'resend_in_full'],
            ['full', 'terminal', undefined, undefined],
          ],
        );
        const third = await caller.ask('three');
        assert.deepEqual(
          [third.text, third.plan, third.turn.report.attempts.length],
          ['saw 5 items', 'full, id_ignored', 1],
        );
        assert.equal(warnings.length, 1);
        assert.match(warnings[0] ?? '', /takes previous_response_id and ignores it/);
        // The socket of the wrong answer takes no further turn.
        assert.deepEqual([server.upgrades, server.creates], [2, 4]);
        assert.equal((await server.peer(1).ended).closeCode === 1000, false);
      },
      { handwritten: true },
    );

  scenario(
    'Q5: another model is tried, and so is the same one after an hour',
    { create: ignoring({ previous_response_id: null }) },
    { transport: 'websocket' },
    async ({ client, server, warnings }) => {
      for (const model of ['a', 'b']) {
        const caller = new Caller(client, { store: false, model });
        await caller.ask('one');
        await caller.ask('two');
      }
      const deltas = server.peers.flatMap(({ creates }) => creates).filter(continues);
      assert.deepEqual(
        deltas.map(({ model }) => model),
        ['a', 'b'],
      );
      assert.equal(warnings.length, 1);
    },
    { handwritten: true },
  );

  scenario(
    'Q5: limits and keep-alives before the beginning are handed over once, in order, with the answer that counts',
    {
      create: (peer, create, count) => {
        peer.echoes = false;
        const id = `resp_${peer.number}_${count}`;
        const names = continues(create) ? { previous_response_id: null } : {};
        peer.events({ type: 'keepalive', n: server(peer, count) }, ...reply(id, asked(create), names));
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      const { events, error } = await caller.ask('two');
      assert.equal(error, undefined);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['keepalive', 'response.created', 'response.output_text.delta', 'response.completed'],
      );
      assert.deepEqual((events[0] as unknown as Json)['n'], '2.1');
    },
    { handwritten: true },
  );

  function server(peer: Peer, count: number): string {
    return `${peer.number}.${count}`;
  }

  for (const [name, options, more] of [
    ['the turn has effects', {}, { tools: [{ type: 'mcp' }] }],
    ['recovery.replay is never', { replay: 'never' }, {}],
    ['recovery.replay is unsent', { replay: 'unsent' }, {}],
  ] as const)
    scenario(
      `Q5: where ${name}, the turn fails with chain_ignored, and the next one is sent in full`,
      { create: ignoring({ previous_response_id: null }) },
      { transport: 'websocket', recovery: options },
      async ({ client, server }) => {
        const caller = new Caller(client, { store: false, ...more });
        await caller.ask('one');
        const { error, events } = await caller.ask('two');
        assert.equal(error?.code, 'chain_ignored');
        assert.equal(error.retryable, false);
        assert.deepEqual(events, []);
        const next = await caller.ask('three');
        assert.deepEqual([next.text, next.plan], ['saw 4 items', 'full, id_ignored']);
        assert.equal(server.creates, 3);
      },
      { handwritten: true },
    );

  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `Q5: an ignored id of the caller fails with chain_ignored over ${transport}, and the answer is ended`,
      {
        create: (peer) => peer.events(created('resp_2', { previous_response_id: null }), delta('Who?')),
        post: (peer) => {
          peer.stream();
          peer.sse(created('resp_2', { previous_response_id: null }), delta('Who?'));
        },
      },
      { transport },
      async ({ client, server }) => {
        const { error, events } = await read(
          client.turn({ model: 'test', input: 'and then?', previous_response_id: 'resp_1' }),
        );
        assert.equal(error?.code, 'chain_ignored');
        assert.equal(error.responseId, 'resp_2');
        assert.match(error.message, /told to continue resp_1, it says null/);
        assert.deepEqual(events, []);
        await server.peer(1).ended;
      },
      { handwritten: true },
    );

    scenario(
      `Q5: an id that the caller gave is trusted over ${transport} where the server names nothing`,
      {
        create: (peer) => {
          peer.echoes = false;
          peer.events(...reply('resp_2', 'fine'));
        },
        post: (peer) => {
          peer.echoes = false;
          peer.stream();
          peer.sse(...reply('resp_2', 'fine'));
          peer.endStream();
        },
      },
      { transport },
      async ({ client }) => {
        const turn = client.turn({ model: 'test', input: 'and then?', previous_response_id: 'resp_1' });
        assert.equal((await read(turn)).text, 'fine');
      },
      { handwritten: true },
    );
  }
});
