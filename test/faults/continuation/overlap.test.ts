// H1, H3, H7, W15, E4: turns at the same time.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { asked, created, reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Script } from '../server/peer.js';

/** Answers each create with its own question, after a while, so that turns overlap. */
const echo: Script = {
  create: (peer, create) => {
    const text = asked(create);
    const [first, ...rest] = reply(`resp_${text}`, text);
    peer.events(...(first === undefined ? [] : [first]));
    setTimeout(() => peer.events(...rest), 5 + (text.length % 5));
  },
};

describe('turns at the same time', () => {
  for (const maxConnections of [1, 3, 32]) {
    scenario(
      `50 turns over at most ${maxConnections} connections: each gets its own answer, one at a time on each connection`,
      echo,
      { transport: 'websocket', pool: { maxConnections } },
      async ({ client, server }) => {
        const questions = Array.from({ length: 50 }, (_, index) => `question ${'x'.repeat(index % 7)} ${index}`);
        const answers = await Promise.all(
          questions.map(async (input) => (await read(client.turn({ model: 'test', input }))).text),
        );
        assert.deepEqual(answers, questions);
        assert.equal(server.creates, 50);
        assert.ok(server.upgrades <= maxConnections);
        // A connection that opens late may find its turn on another one.
        assert.ok(server.peers.every(({ mostUnanswered }) => mostUnanswered <= 1));
        assert.equal(client.stats.busy, 0);
      },
    );
  }

  scenario(
    'two requests of 0.9 MB at the dial both arrive whole',
    echo,
    { transport: 'websocket' },
    async ({ client, server }) => {
      const inputs = ['a', 'b'].map((letter) => letter.repeat(900_000));
      const results = await Promise.all(inputs.map((input) => read(client.turn({ model: 'test', input }))));
      assert.ok(results.every(({ text }, index) => text === inputs[index]));
      assert.equal(server.creates, 2);
    },
  );

  scenario(
    'waiting turns are served in order',
    echo,
    { transport: 'websocket', pool: { maxConnections: 1 } },
    async ({ client, server }) => {
      const inputs = ['1', '2', '3', '4', '5'];
      await Promise.all(inputs.map((input) => read(client.turn({ model: 'test', input }))));
      assert.deepEqual(server.peer(1).creates.map(asked), inputs);
    },
  );

  scenario(
    'waiting for a connection ends at its limit',
    { create: (peer) => peer.events(created('resp_1')) },
    { transport: 'auto', pool: { maxConnections: 1 }, timeouts: { queueMs: 50 } },
    async ({ client, server }) => {
      const first = client.turn({ model: 'test', input: 'for ever' });
      await eventually('it was sent', () => server.creates === 1);
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'queue_timeout');
      assert.equal(error.phase, 'queued');
      assert.equal(error.retryable, true);
      assert.match(error.message, /pool\.maxConnections/);
      assert.deepEqual([server.creates, server.posts], [1, 0]);
      first.cancel();
      await assert.rejects(first.response(), { code: 'aborted' });
    },
  );

  scenario(
    'a dial that fails leaves its place to the next in line, and its turn waits for that lane',
    {
      ...echo,
      upgrade: (peer) => {
        if (peer.number > 1) peer.accept();
        else setTimeout(() => peer.http(503), 30);
      },
    },
    { transport: 'websocket', pool: { maxConnections: 1 }, recovery: { refusals: 'surface' } },
    async ({ client }) => {
      const first = read(client.turn({ model: 'test', input: 'one' }));
      const second = read(client.turn({ model: 'test', input: 'two' }));
      assert.deepEqual([(await first).text, (await second).text], ['one', 'two']);
    },
  );

  scenario(
    'a chain that lives on one connection goes back to it, and other turns do not take that connection',
    {
      create: (peer, create) =>
        peer.events(...reply(`resp_${peer.number}_${peer.creates.length}`, asked(create), { store: false })),
    },
    { transport: 'websocket', pool: { maxConnections: 3 } },
    async ({ client, server }) => {
      const turn = (input: string, previous?: string) =>
        client.turn({
          model: 'test',
          input,
          store: false,
          ...(previous === undefined ? {} : { previous_response_id: previous }),
        });
      const first = await turn('a1').response();
      const second = await turn('b1').response();
      assert.deepEqual([first.id, second.id], ['resp_1_1', 'resp_2_1']);
      assert.equal((await turn('a2', 'resp_1_1').response()).id, 'resp_1_2');
      assert.equal((await turn('b2', 'resp_2_1').response()).id, 'resp_2_2');
      assert.equal(turn('c', 'resp_1_2').report.plan, 'delta');
      assert.equal(server.upgrades, 2);
    },
  );
});
