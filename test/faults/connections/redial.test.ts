// B1, H2, C7, B7, W4: a connection between two turns, and what is done when it turns out to be dead.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Script } from '../server/peer.js';

const good: NonNullable<Script['create']> = (peer, _create, count) =>
  peer.events(...reply(`resp_${peer.number}_${count}`, `answer ${peer.number}.${count}`));

describe('a connection between two turns', () => {
  scenario(
    'turns follow each other on one connection',
    { create: good },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const texts = [];
      for (let turn = 0; turn < 3; turn += 1)
        texts.push((await read(client.turn({ model: 'test', input: 'hi' }))).text);
      assert.deepEqual(texts, ['answer 1.1', 'answer 1.2', 'answer 1.3']);
      const { dialled, connections, busy } = client.stats;
      assert.deepEqual([server.upgrades, dialled, connections, busy], [1, 1, 1, 0]);
    },
  );

  for (const how of ['rst', 'fin', 'close'] as const) {
    scenario(
      `an idle connection ended by ${how} is not used again`,
      { create: good },
      { transport: 'websocket' },
      async ({ client, server }) => {
        await read(client.turn({ model: 'test', input: 'hi' }));
        if (how === 'close') server.peer(1).close(1001);
        else server.peer(1)[how]();
        await eventually('the client knows', () => client.stats.connections === 0);
        const turn = client.turn({ model: 'test', input: 'hi' });
        assert.equal((await read(turn)).text, 'answer 2.1');
        assert.equal(turn.report.attempts.length, 1);
        assert.equal(server.creates, 2);
      },
    );
  }

  /** The server drops the second create of a connection, as a NAT does that has forgotten it. */
  const dropping =
    (drop: (peer: Parameters<typeof good>[0]) => void, times: number): typeof good =>
    (peer, create, count) => {
      if (count === 2 && peer.number <= times) drop(peer);
      else good(peer, create, count);
    };

  for (const [name, drop] of [
    ['RST', (peer: Parameters<typeof good>[0]) => peer.rst()],
    ['FIN', (peer: Parameters<typeof good>[0]) => peer.fin()],
    ['1001', (peer: Parameters<typeof good>[0]) => peer.close(1001)],
    ['1011', (peer: Parameters<typeof good>[0]) => peer.close(1011)],
  ] as const) {
    scenario(
      `a reused connection that answers a create by ${name} is redialled once`,
      { create: dropping(drop, 1) },
      { transport: 'websocket' },
      async ({ client, server, warnings }) => {
        await read(client.turn({ model: 'test', input: 'one' }));
        const turn = client.turn({ model: 'test', input: 'two' });
        assert.equal((await read(turn)).text, 'answer 2.1');
        assert.deepEqual([server.upgrades, server.creates, server.posts], [2, 3, 0]);
        assert.deepEqual(
          turn.report.attempts.map(({ connection, reused, error }) => ({ connection, reused, error })),
          [
            { connection: 1, reused: true, error: 'connection_lost' },
            { connection: 2, reused: false, error: undefined },
          ],
        );
        assert.deepEqual(warnings, []);
      },
    );
  }

  for (const [name, more] of Object.entries({
    'a conversation': { conversation: 'conv_1' },
    'a tool that acts on the provider': { tools: [{ type: 'mcp' }] },
  })) {
    scenario(
      `with ${name}, a turn that may have run is not run again`,
      { create: dropping((peer) => peer.rst(), 1) },
      { transport: 'auto' },
      async ({ client, server }) => {
        await read(client.turn({ model: 'test', input: 'one' }));
        const { error } = await read(client.turn({ model: 'test', input: 'two', ...more }));
        assert.equal(error?.code, 'connection_lost');
        assert.equal(error.phase, 'sent');
        assert.equal(error.retryable, false);
        assert.deepEqual([server.upgrades, server.creates, server.posts], [1, 2, 0]);
      },
    );
  }

  scenario(
    'a second loss in one turn surfaces',
    { create: (peer, create, count) => (peer.number === 1 && count === 1 ? good(peer, create, count) : peer.rst()) },
    { transport: 'auto' },
    async ({ client, server }) => {
      await read(client.turn({ model: 'test', input: 'one' }));
      const { error } = await read(client.turn({ model: 'test', input: 'two' }));
      assert.equal(error?.code, 'connection_lost');
      assert.deepEqual([server.upgrades, server.creates, server.posts], [2, 3, 0]);
    },
  );

  scenario(
    'a turn is not replayed once an event was handed over',
    {
      create: (peer, create, count) => {
        if (peer.number > 1 || count === 1) return good(peer, create, count);
        peer.events(created('resp_x'));
        setTimeout(() => peer.rst(), 30);
      },
    },
    { transport: 'auto' },
    async ({ client, server }) => {
      await read(client.turn({ model: 'test', input: 'one' }));
      const { events, error } = await read(client.turn({ model: 'test', input: 'two' }));
      assert.equal(events.length, 1);
      assert.equal(error?.phase, 'created');
      assert.deepEqual([server.upgrades, server.creates, server.posts], [1, 2, 0]);
    },
  );

  const limit = {
    type: 'error',
    status: 400,
    error: { type: 'invalid_request_error', code: 'websocket_connection_limit_reached', message: '60 minutes' },
  };

  scenario(
    'the age limit in place of an answer: the turn goes over one new connection',
    {
      create: (peer, create, count) => {
        if (peer.number > 1 || count === 1) return good(peer, create, count);
        peer.events(limit);
        peer.close(1000);
      },
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      await read(client.turn({ model: 'test', input: 'one' }));
      assert.equal((await read(client.turn({ model: 'test', input: 'two' }))).text, 'answer 2.1');
      assert.deepEqual([server.upgrades, server.creates], [2, 3]);
    },
  );

  scenario(
    'the age limit on every connection: the error surfaces after one redial',
    { create: (peer) => peer.events(limit) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'request_refused');
      assert.equal(error.server?.code, 'websocket_connection_limit_reached');
      assert.deepEqual([server.upgrades, server.creates, server.posts], [2, 2, 0]);
    },
  );

  scenario(
    'the age limit on an idle connection: the connection is dropped',
    { create: good },
    { transport: 'websocket' },
    async ({ client, server }) => {
      await read(client.turn({ model: 'test', input: 'one' }));
      server.peer(1).events(limit);
      await eventually('it is dropped', () => client.stats.connections === 0);
      assert.equal((await read(client.turn({ model: 'test', input: 'two' }))).text, 'answer 2.1');
    },
  );

  for (const [name, dirt] of [
    ['RST', (peer: Parameters<typeof good>[0]) => peer.rst()],
    ['close 1011', (peer: Parameters<typeof good>[0]) => peer.close(1011)],
    ['FIN', (peer: Parameters<typeof good>[0]) => peer.fin()],
  ] as const) {
    scenario(
      `a terminal event, then ${name}: the turn is a success, the connection is gone`,
      {
        create: (peer, create, count) => {
          good(peer, create, count);
          // RST overtakes what the client has not read yet.
          if (name === 'RST') setTimeout(() => dirt(peer), 30);
          else dirt(peer);
        },
      },
      { transport: 'websocket' },
      async ({ client, server }) => {
        assert.equal((await read(client.turn({ model: 'test', input: 'one' }))).text, 'answer 1.1');
        await eventually('it is gone', () => client.stats.connections === 0);
        assert.equal((await read(client.turn({ model: 'test', input: 'two' }))).text, 'answer 2.1');
        assert.equal(server.peer(1).creates.length, 1);
      },
    );
  }

  scenario(
    'a connection that has reached its age carries no new turn, and the running one is not cut',
    {
      create: (peer, _create, count) => {
        peer.events(created(`resp_${peer.number}_${count}`));
        setTimeout(() => peer.events(completed(`resp_${peer.number}_${count}`)), 120);
      },
    },
    { transport: 'websocket', pool: { maxAgeMs: 60 } },
    async ({ client, server }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'one' }))).error, undefined);
      assert.equal((await read(client.turn({ model: 'test', input: 'two' }))).error, undefined);
      assert.equal(server.upgrades, 2);
      assert.equal((await server.peer(1).ended).closeCode, 1000);
    },
  );
});
