// B1–B6, B8, B9, F8: what is dead is noticed, and what is only silent is left alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, coming } from './caller.js';
import { serve } from './model/serve.js';
import { Service } from './model/service.js';
import { answer, created, reply } from './server/events.js';
import { frame } from './server/frame.js';
import { pingEvery } from './server/heartbeat.js';
import { Relay } from './server/relay.js';
import { FaultServer } from './server/server.js';
import { quickClient } from './quick-client.js';
import { eventually, read, scenario } from './scenario.js';
import type { Client } from '@turnwire/client';
import type { Json } from './server/events.js';
import type { Peer, Script } from './server/peer.js';

const todo = { todo: 'engine' };
const question = { model: 'test', input: 'hi' };
const model = (): Script => serve({ service: new Service() });
const good = (peer: Peer, _create: Json, count: number): void =>
  peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));

/** A client whose connections go through a relay, and both ends of it. */
async function behindRelay(
  options: object,
  run: (all: {
    relay: Relay;
    server: FaultServer;
    caller: Caller;
    stats: () => { connections: number };
  }) => Promise<void>,
): Promise<void> {
  const server = await FaultServer.start(model());
  const relay = await Relay.start(server.url);
  let client: Client | undefined;
  try {
    const mine = quickClient(coming({ apiKey: 'sk-test', baseUrl: relay.url, transport: 'websocket', ...options }));
    client = mine;
    await run({ relay, server, caller: new Caller(mine), stats: () => mine.stats });
  } finally {
    client?.destroy();
    relay.close();
    await server.close();
  }
}

test(
  'B1: a connection that a NAT has forgotten is found out before it costs a turn',
  { timeout: 10_000, ...todo },
  () =>
    behindRelay({ timeouts: { firstEventMs: 20_000 } }, async ({ relay, server, caller, stats }) => {
      assert.equal((await caller.ask('one')).error, undefined);
      relay.blackhole('both');
      // Pings while idle find it out.
      await eventually('it is given up', () => stats().connections === 0, 6000);
      relay.heal();
      const begun = performance.now();
      const { error, turn } = await caller.ask('two');
      assert.equal(error, undefined);
      assert.equal(turn.report.attempts.length, 1);
      assert.ok(performance.now() - begun < 3000);
      assert.equal(server.upgrades, 2);
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

test('B8: pings keep a connection that a middlebox would reset', { timeout: 10_000, ...todo }, () =>
  behindRelay({ pool: { pingMs: 500 } }, async ({ relay, server, caller }) => {
    await caller.ask('one');
    relay.cutIdle(250);
    await eventually('five pings have come', () => server.peer(1).control.filter((opcode) => opcode === 9).length > 5);
    assert.equal((await caller.ask('two')).error, undefined);
    assert.equal(server.upgrades, 1);
  }),
);

for (const transport of ['websocket', 'sse'] as const) {
  scenario(
    `B2: ${transport}, no event within its limit`,
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
  'B2, B3: a silent server that answers pings is alive, before its first event and after it',
  {
    create: (peer) => {
      const [first, ...rest] = reply('resp_1', 'thought it over');
      setTimeout(() => peer.events(first as Json), 300);
      setTimeout(() => peer.events(...rest), 600);
    },
  },
  coming({
    transport: 'websocket',
    pool: { pingMs: 400 },
    timeouts: { firstEventMs: 10_000, idleMs: 1500, pongMs: 1000 },
  }),
  async ({ client, server }) => {
    const turn = client.turn(question);
    assert.equal((await read(turn)).text, 'thought it over');
    assert.equal(turn.report.attempts.length, 1);
    assert.ok(server.peer(1).control.includes(9));
  },
  { quick: true, ...todo },
);

scenario(
  'B3, B4: a server that answers no ping is dead at the first that is missing',
  {
    upgrade: (peer) => {
      peer.answersPings = false;
      peer.accept();
    },
    create: (peer) => peer.events(created('resp_1')),
  },
  coming({ transport: 'websocket', pool: { pingMs: 500 }, timeouts: { pongMs: 1000, idleMs: 60_000 } }),
  async ({ client }) => {
    const begun = performance.now();
    const { error } = await read(client.turn(question));
    assert.equal(error?.code, 'connection_lost');
    assert.ok(performance.now() - begun < 1000, 'it settled late');
  },
  { quick: true, ...todo },
);

/** Keeps the event loop from turning, as heavy work in the caller's program does. */
function blockLoop(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

scenario(
  'B4: a loop that was blocked reads the pong that lies there before it judges',
  { create: (peer) => peer.events(created('resp_1')) },
  coming({ transport: 'websocket', pool: { pingMs: 200 }, timeouts: { pongMs: 300 } }),
  async ({ client, server }) => {
    const turn = read(client.turn(question));
    await eventually('it pings', () => server.peer(1).control.includes(9));
    blockLoop(200);
    await new Promise((resolve) => setImmediate(resolve));
    server.peer(1).events(...reply('resp_1', 'fine').slice(1));
    assert.equal((await turn).text, 'fine');
  },
  { quick: true, ...todo },
);

scenario(
  'B5: a server that pings a client whose loop is blocked: answered, or one clean fallback',
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
  'B6: a clock that has jumped makes a connection too old, and back it makes none younger',
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
  'B9: a frame that never ends is no sign of life for ever',
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
