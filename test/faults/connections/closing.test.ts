// H6, J3: close() and destroy().
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { created, reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Peer } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const good = (peer: Peer): void => peer.events(...reply('resp_1', 'done'));

describe('close() and destroy()', () => {
  scenario(
    'close() lets running and waiting turns end, takes no new ones, and does the closing handshake',
    {
      create: (peer, _create, count) => {
        peer.events(created(`resp_${count}`));
        setTimeout(() => peer.events(...reply(`resp_${count}`, 'done').slice(1)), 30);
      },
    },
    { transport: 'websocket', pool: { maxConnections: 1 } },
    async ({ client, server }) => {
      const turns = [read(client.turn(question)), read(client.turn(question))];
      const closed = client.close();
      assert.equal((await read(client.turn(question))).error?.code, 'client_closed');
      assert.deepEqual(
        (await Promise.all(turns)).map(({ text }) => text),
        ['done', 'done'],
      );
      await closed;
      assert.equal((await server.peer(1).ended).closeCode, 1000);
      assert.deepEqual([server.creates, client.stats.connections], [2, 0]);
      await client.close();
    },
  );

  scenario(
    'close() is bounded where the server does not answer the closing handshake',
    {
      create: (peer) => {
        peer.answersClose = false;
        good(peer);
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      await read(client.turn(question));
      const begun = performance.now();
      await client.close();
      assert.ok(performance.now() - begun < 4000);
    },
  );

  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `${transport}, destroy() ends running turns now`,
      {
        create: (peer) => peer.events(created('resp_1')),
        post: (peer) => {
          peer.stream();
          peer.sse(created('resp_1'));
        },
      },
      { transport },
      async ({ client, server }) => {
        const turn = client.turn(question);
        for await (const event of { [Symbol.asyncIterator]: () => turn[Symbol.asyncIterator]() }) {
          assert.equal(event.type, 'response.created');
          client.destroy();
          break;
        }
        await assert.rejects(turn.response(), { code: 'client_closed', phase: 'created', responseId: 'resp_1' });
        await server.peer(1).ended;
        assert.equal((await read(client.turn(question))).error?.code, 'client_closed');
      },
    );
  }

  scenario(
    'a dial that is answered after destroy() leaves nothing behind',
    { upgrade: (peer) => void setTimeout(() => peer.accept(), 50) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const turn = client.turn(question);
      const failed = assert.rejects(turn.response(), { code: 'client_closed' });
      await eventually('the upgrade was asked for', () => server.upgrades === 1);
      client.destroy();
      await failed;
      await server.peer(1).ended;
      assert.deepEqual([server.creates, server.posts, client.stats.connections], [0, 0, 0]);
    },
  );

  scenario(
    'await using closes the client',
    { create: good },
    { transport: 'websocket' },
    async ({ client, server }) => {
      await read(client.turn(question));
      await client[Symbol.asyncDispose]();
      assert.equal((await server.peer(1).ended).closeCode, 1000);
    },
  );
});
