// I1, I2, I3, I5, H5, W20: a turn is given up, at each moment and in each way.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { answer, created, delta, reply } from '../server/events.js';
import { eventually, read, scenario, types } from '../scenario.js';
import type { Client, ClientOptions, Turn } from '@turnwire/client';
import type { Moment } from '../server/events.js';
import type { FaultServer } from '../server/server.js';
import type { Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };

/** A server that stops at a moment of the first turn, and answers all others. */
function stopping(moment: Moment): Script {
  const { events, upTo } = answer('resp_1');
  const first = events.slice(0, upTo[moment]);
  let turns = 0;
  return {
    create: (peer) => {
      turns += 1;
      peer.events(...(turns === 1 ? first : reply(`resp_${turns}`, 'next')));
    },
    post: (peer) => {
      turns += 1;
      peer.stream();
      if (turns > 1) {
        peer.sse(...reply(`resp_${turns}`, 'next'));
        peer.endStream();
      } else if (first.length > 0) peer.sse(...first);
    },
  };
}

/** The turn is over at once and by name, the server sees the connection end, the next turn is right. */
async function checkAborted(turn: Turn, { client, server }: { client: Client; server: FaultServer }): Promise<void> {
  const begun = performance.now();
  await assert.rejects(turn.response(), { code: 'aborted', name: 'AbortError' });
  assert.ok(performance.now() - begun < 500, 'it settled late');
  if (server.peers.length > 0) await server.peer(1).ended;
  assert.equal((await read(client.turn(question))).text, 'next');
}

describe('abort', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    const options: ClientOptions = { transport };
    for (const moment of Object.keys(answer('x').upTo) as Moment[]) {
      const count = answer('x').upTo[moment];
      scenario(`${transport}, abort after ${moment}`, stopping(moment), options, async (all) => {
        const controller = new AbortController();
        const turn = all.client.turn(question, { signal: controller.signal });
        const events = turn[Symbol.asyncIterator]();
        for (let index = 0; index < count; index += 1) assert.equal((await events.next()).done, false);
        if (count === 0) await eventually('it was sent', () => all.server.creates + all.server.posts === 1);
        const reason = new Error('enough');
        controller.abort(reason);
        await assert.rejects(events.next(), { code: 'aborted', cause: reason });
        await checkAborted(turn, all);
      });

      if (count === 0) continue;
      scenario(`${transport}, leaving the loop after ${moment}`, stopping(moment), options, async (all) => {
        const turn = all.client.turn(question);
        let seen = 0;
        for await (const event of turn) {
          assert.ok(event.type);
          seen += 1;
          if (seen === count) break;
        }
        await checkAborted(turn, all);
      });
    }

    scenario(`${transport}, the consumer throws`, stopping('a delta'), options, async (all) => {
      const turn = all.client.turn(question);
      await assert.rejects(
        async () => {
          for await (const event of turn) if (event.type !== 'response.created') throw new Error('mine');
        },
        { message: 'mine' },
      );
      await checkAborted(turn, all);
    });

    scenario(`${transport}, return() ends the iteration for good`, stopping('a delta'), options, async (all) => {
      const turn = all.client.turn(question);
      const events = turn[Symbol.asyncIterator]();
      await events.next();
      const pending = [events.next(), events.next(), events.next(), events.next()];
      assert.deepEqual(await events.return?.(), { done: true, value: undefined });
      assert.deepEqual((await Promise.all(pending)).at(-1), { done: true, value: undefined });
      assert.deepEqual(await events.next(), { done: true, value: undefined });
      await checkAborted(turn, all);
    });

    scenario(`${transport}, abort before the turn: nothing is sent`, stopping('nothing'), options, async (all) => {
      const turn = all.client.turn(question, { signal: AbortSignal.abort() });
      await assert.rejects(turn.response(), { code: 'aborted', phase: 'queued' });
      assert.equal(all.server.peers.length, 0);
      assert.deepEqual(turn.report.attempts, []);
    });

    for (const [when, wait] of Object.entries({
      'in the same tick': () => Promise.resolve(),
      'one tick later': () => new Promise((resolve) => setImmediate(resolve)),
    })) {
      scenario(`${transport}, abort ${when}`, stopping('nothing'), options, async ({ client, server }) => {
        const controller = new AbortController();
        const turn = client.turn(question, { signal: controller.signal });
        await wait();
        controller.abort();
        await assert.rejects(turn.response(), { code: 'aborted' });
        for (const peer of server.peers) await peer.ended;
        assert.equal(server.creates, 0);
        if (when === 'in the same tick') assert.equal(server.peers.length, 0);
        assert.equal(client.stats.busy, 0);
      });
    }

    scenario(
      `${transport}, abort while the key function runs: the turn does not wait for the key`,
      stopping('nothing'),
      { transport, apiKey: () => new Promise<string>(() => {}), pool: { maxConnections: 1 } },
      async ({ client, server }) => {
        const turn = client.turn(question);
        setImmediate(() => turn.cancel());
        await assert.rejects(turn.response(), { code: 'aborted' });
        assert.equal(server.peers.length, 0);
        // Its place is free at once: the next waits for its own key, not in the queue.
        assert.equal((await read(client.turn(question, { signal: AbortSignal.timeout(50) }))).error?.code, 'aborted');
      },
    );

    scenario(
      `${transport}, cancel in the tick of the terminal event: the turn has succeeded`,
      {
        create: (peer) => peer.events(...reply('resp_1', 'done')),
        post: (peer) => {
          peer.stream();
          peer.sse(...reply('resp_1', 'done'));
          peer.endStream();
        },
      },
      options,
      async ({ client }) => {
        const turn = client.turn(question);
        for await (const event of turn) if (event.type === 'response.completed') turn.cancel();
        assert.equal((await turn.response()).status, 'completed');
      },
    );
  }

  scenario(
    'websocket, abort in the tick of the 101 and in the next one ends the turn',
    { create: (peer) => peer.events(created('resp_1'), delta('x')) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (let ticks = 0; ticks < 12; ticks += 1) {
        const controller = new AbortController();
        const turn = client.turn(question, { signal: controller.signal });
        await eventually('the upgrade was asked for', () => server.upgrades > ticks);
        for (let tick = 0; tick < ticks; tick += 1) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        await assert.rejects(turn.response(), { code: 'aborted' });
        await server.peer(ticks + 1).ended;
      }
      const { dialled, connections, busy } = client.stats;
      assert.deepEqual([dialled, connections, busy], [12, 0, 0]);
    },
  );

  scenario(
    'one signal for many turns causes no warning, and ends each of them',
    { create: () => {} },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const controller = new AbortController();
      const turns = Array.from({ length: 20 }, () => client.turn(question, { signal: controller.signal }));
      await eventually('all were sent', () => server.creates === 20);
      controller.abort();
      for (const turn of turns) await assert.rejects(turn.response(), { code: 'aborted' });
      await eventually('all connections are gone', () => client.stats.connections === 0);
    },
  );

  scenario(
    'a turn aborted in the queue sends nothing and does not block others',
    {
      create: (peer, _create, count) => {
        peer.events(created(`resp_${count}`));
        setTimeout(() => peer.events(...reply(`resp_${count}`, `answer ${count}`).slice(1)), 60);
      },
    },
    { transport: 'websocket', pool: { maxConnections: 1 } },
    async ({ client, server }) => {
      const first = read(client.turn(question));
      const controller = new AbortController();
      const second = read(client.turn(question, { signal: controller.signal }));
      const third = read(client.turn(question));
      await eventually('the first was sent', () => server.creates === 1);
      controller.abort();
      assert.equal((await second).error?.code, 'aborted');
      assert.deepEqual([(await first).text, (await third).text], ['answer 1', 'answer 2']);
      assert.deepEqual([server.creates, server.upgrades], [2, 1]);
    },
  );

  scenario(
    'a value that is no AbortSignal is refused in one sentence',
    { create: () => {} },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const wrong = { signal: new AbortController() } as unknown as { signal: AbortSignal };
      await assert.rejects(client.turn(question, wrong).response(), {
        code: 'invalid_option',
        message: /^turn: signal must be an AbortSignal/,
      });
      const misspelt = { transports: 'sse' } as object;
      await assert.rejects(client.turn(question, misspelt).response(), {
        code: 'invalid_option',
        message: /turn\.transports is no option/,
      });
      assert.equal(server.peers.length, 0);
    },
  );

  scenario(
    'events that arrived before a loss are still delivered',
    {
      create: (peer) => {
        peer.events(created('resp_1'), delta('kept'));
        peer.close(1011);
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      const turn = client.turn(question);
      await assert.rejects(turn.response(), { code: 'connection_lost' });
      const other = client.turn(question);
      await eventually('it has ended', () => other.report.outcome === 'lost');
      const { events, thrown } = await read(other);
      assert.deepEqual(types(events), ['response.created', 'response.output_text.delta']);
      assert.equal(thrown?.code, 'connection_lost');
    },
  );
});
