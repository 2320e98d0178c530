// A14, A15, F5, H4, H8–H10, N3: which turns share a connection, and which must not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { refuse } from '../server/admission.js';
import { reply } from '../server/events.js';
import { FaultServer } from '../server/server.js';
import { createClient } from '@turnwire/client';
import { eventually, read, scenario } from '../scenario.js';

const question = { model: 'test', input: 'hi' };

describe('connections that turns share', () => {
  scenario(
    'A14: the breaker of a host without WebSocket does not concern another host',
    { ...serve({ service: new Service() }), upgrade: refuse(426) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const other = await FaultServer.start(serve({ service: new Service() }));
      const second = createClient({ apiKey: 'sk-other', baseUrl: other.url });
      try {
        await read(client.turn(question));
        await read(second.turn(question));
        assert.deepEqual([server.posts, other.posts, other.creates], [1, 0, 1]);
      } finally {
        second.destroy();
        await other.close();
      }
    },
  );

  for (const row of ['A15: another project', 'H4: another key'] as const) {
    let value = 'first';
    const changing = row.startsWith('A15')
      ? { headers: () => ({ 'openai-project': value }) }
      : { apiKey: () => `sk-${value}` };
    let release = (): void => {};
    scenario(
      `${row} at a dial: connections dialled before take no new turns, and end with the running ones`,
      {
        create: (peer, _create, count) => {
          const events = reply(`resp_${peer.number}_${count}`, 'fine');
          if (peer.number > 1) return peer.events(...events);
          peer.events(...events.slice(0, 1));
          release = () => peer.events(...events.slice(1));
        },
      },
      { transport: 'websocket', ...changing },
      async ({ client, server }) => {
        const first = client.turn(question);
        const read1 = read(first);
        await eventually('it runs', () => first.report.phase === 'created');
        value = 'second';
        assert.equal((await read(client.turn(question))).text, 'fine');
        release();
        assert.equal((await read1).text, 'fine');
        await server.peer(1).ended;
        assert.equal((await read(client.turn(question))).text, 'fine');
        assert.deepEqual(
          server.peers.map(({ creates }) => creates.length),
          [1, 2],
        );
        const [before, after] = server.peers.map(({ heads }) => heads[0]?.headers);
        assert.match(`${before?.['openai-project']} ${before?.['authorization']}`, /first/);
        assert.match(`${after?.['openai-project']} ${after?.['authorization']}`, /second/);
      },
    );
  }

  test('N3: two keys in two organizations never share a connection', { timeout: 10_000 }, async () => {
    const server = await FaultServer.start(serve({ service: new Service() }));
    const pairs = ['sk-a', 'sk-b'].flatMap((apiKey) =>
      ['org-a', 'org-b'].map((organization) => ({ apiKey, organization })),
    );
    const clients = pairs.map((identity) => createClient({ ...identity, baseUrl: server.url, transport: 'websocket' }));
    try {
      for (const client of clients) for (let turn = 0; turn < 2; turn += 1) await client.turn(question).response();
      assert.deepEqual(
        server.peers.map(({ heads }) => [heads[0]?.headers['authorization'], heads[0]?.headers['openai-organization']]),
        pairs.map(({ apiKey, organization }) => [`Bearer ${apiKey}`, organization]),
      );
    } finally {
      for (const client of clients) client.destroy();
      await server.close();
    }
  });

  scenario(
    'H8: three hundred conversations live on four connections',
    serve({ service: new Service() }),
    { transport: 'websocket', pool: { maxConnections: 4 } },
    async ({ client, server }) => {
      const inputs = Array.from({ length: 300 }, (_, index) => `conversation ${index}`);
      await Promise.all(inputs.map((input) => read(client.turn({ model: 'test', input, store: false }))));
      assert.ok(server.upgrades <= 4, `${server.upgrades} connections`);
    },
  );

  scenario(
    'H9: after all connections are cut at once, every turn is answered',
    serve({ service: new Service() }),
    { transport: 'auto' },
    async ({ client, server }) => {
      const round = (): Promise<unknown[]> =>
        Promise.all(Array.from({ length: 30 }, async () => (await read(client.turn(question))).error));
      assert.deepEqual(new Set(await round()), new Set([undefined]));
      server.killAll();
      assert.deepEqual(new Set(await round()), new Set([undefined]));
    },
  );

  for (const lanes of ['on', 'reject', 'mix'] as const) {
    scenario(
      `F5: a server whose lanes are ${lanes}: each turn gets its own answer`,
      serve({ service: new Service(), lanes, course: () => ({ everyMs: 2 }) }),
      { transport: 'websocket', pool: { lanes: true, maxConnections: 2 } },
      async ({ client, server }) => {
        const inputs = Array.from({ length: 20 }, (_, index) => `question ${index}`);
        const results = await Promise.all(inputs.map((input) => read(client.turn({ model: 'test', input }))));
        if (lanes !== 'mix') for (const { error } of results) assert.equal(error, undefined);
        if (lanes === 'on') assert.ok(server.peers.some(({ mostUnanswered }) => mostUnanswered > 1));
      },
    );
  }

  scenario(
    'H10: sixteen stalled lanes do not hold up the seventeenth turn',
    serve({
      service: new Service(),
      course: ({ request }) => (request['input'] === 'stall' ? { upTo: 1, after: () => {} } : undefined),
    }),
    { transport: 'websocket', pool: { lanes: true, maxConnections: 2 } },
    async ({ client, server }) => {
      const stalled = Array.from({ length: 16 }, () => client.turn({ model: 'test', input: 'stall' }));
      await eventually('they stand still', () => server.creates === 16);
      assert.equal((await read(client.turn(question))).error, undefined);
      for (const turn of stalled) turn.cancel();
    },
  );
});
