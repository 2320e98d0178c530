// B1–B6, B8, B9, F8, P68: what is dead is noticed, and what is only silent is left alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { createFetch } from '@turnwire/client/fetch';
import { Caller } from '../caller.js';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { answer, created, delta, reply } from '../server/events.js';
import { frame, opcodes } from '../server/frame.js';
import { pingEvery } from '../server/heartbeat.js';
import { Relay } from '../server/relay.js';
import { FaultServer } from '../server/server.js';
import { leapingClient } from '../quick-client.js';
import { eventually, read, scenario } from '../scenario.js';
import type { ClientOptions } from '@turnwire/client';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const model = (): Script => serve({ service: new Service() });
const good = (peer: Peer, _create: Json, count: number): void =>
  peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));

interface BehindRelay {
  relay: Relay;
  server: FaultServer;
  caller: Caller;
  stats: () => { connections: number };
  leap: (ms: number) => void;
}

/** A client whose connections go through a relay, and both ends of it. */
async function behindRelay(options: ClientOptions, run: (all: BehindRelay) => Promise<void>): Promise<void> {
  const server = await FaultServer.start(model());
  const relay = await Relay.start(server.url);
  const { client, leap } = leapingClient({ apiKey: 'sk-test', baseUrl: relay.url, transport: 'websocket', ...options });
  try {
    await run({ relay, server, caller: new Caller(client), stats: () => client.stats, leap });
  } finally {
    client.destroy();
    relay.close();
    await server.close();
  }
}

const pings = (peer: Peer): number => peer.control.filter((opcode) => opcode === opcodes.ping).length;

describe('liveness of a connection', () => {
  test('B1: a connection that a NAT has forgotten is detected by its pings', { timeout: 10_000 }, () =>
    behindRelay({ pool: { pingMs: 400 }, timeouts: { pongMs: 400 } }, async ({ relay, server, caller, stats }) => {
      assert.equal((await caller.ask('one')).error, undefined);
      // One that never answered would be left in peace.
      await eventually('it has answered a ping', () => pings(server.peer(1)) >= 2);
      relay.forget();
      await eventually('it is given up', () => stats().connections === 0);
      const { error, turn } = await caller.ask('two');
      assert.equal(error, undefined);
      assert.equal(turn.report.attempts.length, 1);
      assert.equal(server.upgrades, 2);
    }),
  );

  /** A server that is never silent, and a relay that forgets its connections: the link is dead, and nobody says so. */
  async function neverSilent(run: (relay: Relay, noticed: (begun: number) => void) => Promise<void>): Promise<void> {
    const server = await FaultServer.start({
      create: (peer) => {
        peer.events(created('resp_1'));
        const talk = setInterval(() => peer.events(delta('word ')), 5);
        peer.socket.once('close', () => clearInterval(talk));
      },
    });
    const relay = await Relay.start(server.url);
    try {
      await run(relay, (begun) => {
        const ms = performance.now() - begun;
        // The limits are 600 ms together; without a pong to miss it would be `idleMs`.
        assert.ok(ms < 5000, `noticed after ${ms} ms`);
      });
    } finally {
      relay.close();
      await server.close();
    }
  }

  const soon: ClientOptions = {
    pool: { pingMs: 300 },
    timeouts: { pongMs: 300, idleMs: 60_000 },
    transport: 'websocket',
  };

  test(
    'Q11: a link that dies in the middle of an answer is detected, although the stream was never silent',
    { timeout: 20_000 },
    () =>
      neverSilent(async (relay, noticed) => {
        const client = createClient({ apiKey: 'sk-test', baseUrl: relay.url, ...soon });
        const turn = client.turn(question);
        let begun = NaN;
        let words = 0;
        await assert.rejects(
          async () => {
            for await (const _ of turn) {
              words += 1;
              if (words !== 20) continue;
              relay.forget();
              begun = performance.now();
            }
          },
          { code: 'connection_lost', message: /no pong came within 300 ms/ },
        );
        noticed(begun);
        client.destroy();
      }),
  );

  test('Q11: createFetch ends the body of an answer whose link has died', { timeout: 20_000 }, () =>
    neverSilent(async (relay, noticed) => {
      const fetch = createFetch({ onWarning: false, ...soon });
      const answer = await fetch(`${relay.url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
        body: JSON.stringify({ ...question, stream: true }),
      });
      const reader = answer.body?.getReader();
      for (let chunks = 0; chunks < 10; chunks += 1) await reader?.read();
      relay.forget();
      const begun = performance.now();
      await assert.rejects(async () => {
        while ((await reader?.read())?.done === false);
      });
      noticed(begun);
      fetch.destroy();
    }),
  );

  test('Q11: a link that dies between two turns is detected before the next turn', { timeout: 20_000 }, () =>
    behindRelay({ pool: { pingMs: 3000 }, timeouts: { pongMs: 3000 } }, async ({ relay, server, caller, stats }) => {
      await caller.ask('one');
      // The pong to the opening's ping has come before the answer.
      relay.forget();
      await eventually('it is given up', () => stats().connections === 0);
      // Asked once after the opening, and given up for want of that pong.
      assert.equal(pings(server.peer(1)), 1);
    }),
  );

  test(
    'B1: a connection that was idle is pinged before it is used, and the turn does not fail',
    { timeout: 10_000 },
    () =>
      behindRelay({}, async ({ relay, server, caller, leap }) => {
        assert.equal((await caller.ask('one')).error, undefined);
        relay.forget();
        leap(300_000);
        const begun = performance.now();
        const { error, turn } = await caller.ask('two');
        assert.equal(error, undefined);
        // Two seconds for the question, in a tenth of that.
        assert.ok(performance.now() - begun < 3000, `it took ${performance.now() - begun} ms`);
        assert.equal(turn.report.attempts.length, 1);
        assert.deepEqual([server.upgrades, server.creates], [2, 2]);
      }),
  );

  test('B8: an idle connection that a middlebox has reset is replaced', { timeout: 10_000 }, () =>
    behindRelay({}, async ({ relay, server, caller, stats }) => {
      await caller.ask('one');
      relay.cutIdle(30);
      await eventually('it is cut', () => stats().connections === 0);
      relay.cutIdle(10_000);
      assert.equal((await caller.ask('two')).error, undefined);
      assert.equal(server.upgrades, 2);
    }),
  );

  test('B8: pings keep a connection that a middlebox would reset', { timeout: 10_000 }, () =>
    behindRelay({ pool: { pingMs: 200 } }, async ({ relay, server, caller }) => {
      await caller.ask('one');
      // Far from the time between two pings, since a busy machine is late with both.
      relay.cutIdle(1500);
      await eventually('pings have come for longer than that', () => pings(server.peer(1)) > 10);
      assert.equal((await caller.ask('two')).error, undefined);
      assert.equal(server.upgrades, 1);
    }),
  );

  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `B2: ${transport}, a turn without an event within the limit fails`,
      { create: () => {}, post: (peer) => peer.stream() },
      { transport, timeouts: { firstEventMs: 100 } },
      async ({ client, server }) => {
        assert.equal((await read(client.turn(question))).error?.code, 'first_event_timeout');
        assert.equal(server.creates + server.posts, 1);
      },
    );

    scenario(
      `F8: ${transport}, all items and no terminal event: an error, and never a success`,
      {
        create: (peer) => peer.events(...answer('resp_1').events.slice(0, -1)),
        post: (peer) => {
          peer.stream();
          peer.sse(...answer('resp_1').events.slice(0, -1));
        },
      },
      { transport, timeouts: { idleMs: 100 } },
      async ({ client }) => {
        const turn = client.turn(question);
        const { error, events } = await read(turn);
        assert.equal(error?.code, 'idle_timeout');
        assert.equal(events.length, answer('resp_1').events.length - 1);
        assert.equal(turn.report.outcome, 'lost');
      },
    );
  }

  scenario(
    'B2, B3: a silent server that answers pings counts as alive, before its first event and after it',
    {
      create: (peer) => {
        const [first, ...rest] = reply('resp_1', 'thought it over');
        setTimeout(() => peer.events(first as Json), 300);
        setTimeout(() => peer.events(...rest), 600);
      },
    },
    {
      transport: 'websocket',
      pool: { pingMs: 400 },
      timeouts: { firstEventMs: 10_000, idleMs: 1500, pongMs: 1000 },
    },
    async ({ client, server }) => {
      const turn = client.turn(question);
      assert.equal((await read(turn)).text, 'thought it over');
      assert.equal(turn.report.attempts.length, 1);
      assert.ok(pings(server.peer(1)) > 0);
    },
    { quick: true },
  );

  scenario(
    'B3, B4: a server that stops answering pings counts as dead after the first missing pong',
    { create: (peer) => peer.events(created('resp_1')) },
    { transport: 'websocket', pool: { pingMs: 500 }, timeouts: { pongMs: 1000, idleMs: 60_000 } },
    async ({ client, server }) => {
      const turn = read(client.turn(question));
      await eventually('it has answered one', () => server.peers[0] !== undefined && pings(server.peer(1)) > 0);
      server.peer(1).answersPings = false;
      const begun = performance.now();
      const { error } = await turn;
      assert.equal(error?.code, 'connection_lost');
      assert.ok(performance.now() - begun < 1000, 'it settled late');
      assert.equal(pings(server.peer(1)), 2);
    },
    { quick: true },
  );

  scenario(
    'B3: for a server that has never answered a ping, only the idle limit counts',
    {
      upgrade: (peer) => {
        peer.answersPings = false;
        peer.accept();
      },
      create: (peer) => peer.events(created('resp_1')),
    },
    { transport: 'websocket', pool: { pingMs: 500 }, timeouts: { pongMs: 500, idleMs: 6000 } },
    async ({ client, server }) => {
      assert.equal((await read(client.turn(question))).error?.code, 'idle_timeout');
      assert.ok(pings(server.peer(1)) > 2);
    },
    { quick: true },
  );

  /** Keeps the event loop from turning, as heavy work in the caller's program does. */
  function blockLoop(ms: number): void {
    const until = performance.now() + ms;
    while (performance.now() < until);
  }

  scenario(
    'B4: after a blocked event loop, a pong that has arrived is read before the connection is judged',
    { create: (peer) => peer.events(created('resp_1')) },
    { transport: 'websocket', pool: { pingMs: 200 }, timeouts: { pongMs: 300 } },
    async ({ client, server }) => {
      const turn = read(client.turn(question));
      await eventually('it pings', () => server.peers[0]?.control.includes(opcodes.ping) === true);
      blockLoop(200);
      await new Promise((resolve) => setImmediate(resolve));
      server.peer(1).events(...reply('resp_1', 'fine').slice(1));
      assert.equal((await turn).text, 'fine');
    },
    { quick: true },
  );

  scenario(
    'B5: a server that pings a client whose event loop is blocked gets an answer, or the turn falls back once',
    {
      upgrade: (peer) => {
        peer.accept();
        pingEvery(peer, { everyMs: 50, closeAfterMs: 400 });
      },
      create: good,
      post: (peer) => {
        peer.stream();
        peer.sse(...reply('resp_post', 'fine'));
        peer.endStream();
      },
    },
    { transport: 'auto' },
    async ({ client, server }) => {
      const turn = client.turn(question);
      await eventually('it is dialled', () => server.upgrades === 1);
      blockLoop(300);
      assert.equal((await read(turn)).text, 'fine');
      assert.ok(server.creates + server.posts <= 2);
    },
  );

  scenario(
    'B6: a clock that jumps ahead makes a connection too old, and a clock that jumps back makes none younger',
    { create: good },
    { transport: 'websocket', pool: { maxAgeMs: 3_600_000 } },
    async ({ client, server }) => {
      const real = performance.now.bind(performance);
      let jump = 0;
      performance.now = () => real() + jump;
      try {
        await read(client.turn(question));
        jump = 7_200_000;
        assert.equal((await read(client.turn(question))).error, undefined);
        assert.equal(server.upgrades, 2);
        jump = 0;
        assert.equal((await read(client.turn(question))).error, undefined);
      } finally {
        performance.now = real;
      }
    },
  );

  scenario(
    'B9: a frame that never ends does not count as a sign of life',
    {
      create: (peer) => {
        peer.events(created('resp_1'));
        peer.drip(frame(JSON.stringify({ type: 'x', padding: 'x'.repeat(10_000) })), 5);
      },
    },
    { transport: 'websocket', timeouts: { idleMs: 150 } },
    async ({ client, server }) => {
      assert.equal((await read(client.turn(question))).error?.code, 'idle_timeout');
      await server.peer(1).ended;
    },
  );
});
