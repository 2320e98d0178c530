// Named lanes: where turns are placed, and whose the frames are.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { once } from 'node:events';
import { limitsOf } from '../../dist/protocol/limits.js';
import { LanesIgnoredError } from '../../dist/pool/lanes.js';
import { noSignal, usual, poolTest } from './pool-test.js';
import type { WebSocketServer } from 'ws';
import type { WebSocketEnd } from '../../dist/network/client-websocket.js';
import type { LaneChain, LaneListener } from '../../dist/pool/lane.js';
import type { LaneAssignment } from '../../dist/pool/placement.js';
import type { Pool } from '../../dist/pool/pool.js';
import type { Frame } from '../../dist/protocol/frame.js';

const lanes = { inFlight: 16, names: 32 };
const local = (responseId: string): LaneChain => ({ responseId, stored: false });

/** A turn that remembers what it was told. */
class Listener implements LaneListener {
  readonly asText: boolean;
  readonly texts: string[] = [];
  end: WebSocketEnd | undefined;
  #next: () => void = () => {};

  constructor(asText = false) {
    this.asText = asText;
  }

  event(frame: Frame): void {
    this.texts.push(frame.text);
    this.#next();
  }

  alive(): void {}

  lost(end: WebSocketEnd): void {
    this.end = end;
    this.#next();
  }

  /** The next event, or the end. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.#next = resolve));
  }
}

async function join(pool: Pool, asText = false): Promise<LaneAssignment & { listener: Listener }> {
  const listener = new Listener(asText);
  const place = await pool.acquire(usual, listener, noSignal);
  return { ...place, listener };
}

function say(server: WebSocketServer, event: object): void {
  for (const socket of server.clients) socket.send(JSON.stringify(event));
}

const delta = { type: 'response.output_text.delta', delta: 'x' };
const completed = { type: 'response.completed', response: { id: 'resp_1', status: 'completed' } };

describe('pool: named lanes', () => {
  poolTest('P44, P84: 16 turns share a connection, the 17th gets another', { lanes }, async ({ take, pool }) => {
    const places = [await take()];
    for (let turn = 2; turn <= 17; turn += 1) places.push(await take());
    assert.deepEqual(
      places.map(({ lane }) => lane.connectionNumber),
      [...Array.from({ length: 16 }, () => 1), 2],
    );
    const names = places.slice(0, 16).map(({ lane }) => lane.streamId ?? '');
    assert.equal(new Set(names).size, 16);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_.-]{1,256}$/);
    assert.equal(pool.stats.dialled, 2);
  });

  poolTest('P83: names are used again, and there are at most 32 of them', { lanes }, async ({ take, leave }) => {
    const seen = new Set<string>();
    for (let turn = 1; turn <= 40; turn += 1) {
      const place = await take();
      seen.add(place.lane.streamId ?? '');
      leave(place);
    }
    assert.equal(seen.size, 1);
    for (let turn = 1; turn <= 32; turn += 1) {
      const place = await take();
      assert.equal(place.lane.connectionNumber, 1);
      seen.add(place.lane.streamId ?? '');
      leave(place, local(`resp_${turn}`));
    }
    assert.equal(seen.size, 32);
    // Each name holds somebody's chain: rather another connection than an end of one of them.
    assert.equal((await take()).lane.connectionNumber, 2);
  });

  poolTest('P46: a fork goes beside its parent, and finds it there', { lanes }, async ({ take, leave, pool }) => {
    const elsewhere = await take(undefined, true);
    const first = await take(undefined, true);
    leave(first, local('resp_a'));
    leave(elsewhere);
    assert.equal(pool.holds('resp_a'), true);
    const next = await take('resp_a');
    assert.equal(next.lane, first.lane);
    assert.equal(pool.holds('resp_a'), true);
    const fork = await take('resp_a');
    assert.equal(fork.lane.connectionNumber, first.lane.connectionNumber);
    assert.notEqual(fork.lane, first.lane);
    assert.equal(fork.lane.holds('resp_a'), true);
    leave(next, local('resp_b'));
    assert.equal(fork.lane.holds('resp_a'), false);
    assert.equal(pool.holds('resp_a'), false);
  });

  poolTest('the table has no lanes for some hosts', { lanes: limitsOf('api.x.ai').lanes }, async ({ take }) => {
    const [a, b] = [await take(), await take()];
    assert.deepEqual([a.lane.streamId, b.lane.streamId], [undefined, undefined]);
    assert.deepEqual([a.lane.connectionNumber, b.lane.connectionNumber], [1, 2]);
    for (const host of ['ai-gateway.vercel.sh', 'mine.openai.azure.com'])
      assert.equal(limitsOf(host).lanes, undefined, host);
  });

  for (const asText of [false, true])
    poolTest(
      `F5: lanes that interleave get their own${asText ? ', as text' : ''}; a lane's error is its own`,
      { lanes },
      async ({ pool, server }) => {
        const a = await join(pool, asText);
        const b = await join(pool, asText);
        say(server, { ...delta, delta: 'for a', stream_id: a.lane.streamId });
        say(server, { ...delta, delta: 'for b', stream_id: b.lane.streamId });
        say(server, { type: 'error', stream_id: a.lane.streamId, error: { message: 'no' } });
        say(server, { type: 'codex.rate_limits' });
        const last = b.listener.next();
        say(server, { ...completed, stream_id: b.lane.streamId });
        await last;
        while (b.listener.texts.length < 2) await b.listener.next();
        const seen = [a, b].map(({ listener }) =>
          listener.texts.map((text) => (JSON.parse(text) as typeof delta).delta),
        );
        assert.deepEqual(seen, [
          ['for a', undefined],
          ['for b', undefined],
        ]);
        assert.equal(a.listener.end, undefined);
      },
    );

  poolTest(
    'P65: an error without a name is for all, and the connection takes no more',
    { lanes },
    async ({ pool, server, take }) => {
      const a = await join(pool);
      const b = await join(pool);
      say(server, { ...delta, stream_id: a.lane.streamId });
      const told = b.listener.next();
      say(server, { type: 'error', error: { code: 'websocket_connection_limit_reached' } });
      await told;
      assert.equal(a.listener.texts.length, 2);
      assert.equal(b.listener.texts.length, 1);
      assert.equal((await take()).lane.connectionNumber, 2);
    },
  );

  for (const [what, event] of [
    ['without a name', delta],
    ['with an unknown name', { ...delta, stream_id: 'lane-99' }],
    ['of an idle lane', { ...delta, stream_id: 'lane-3' }],
  ] as const)
    poolTest(
      `F5: an event ${what} ends the connection of those who share it`,
      { lanes },
      async ({ pool, server, take, leave }) => {
        const a = await join(pool);
        const b = await join(pool);
        leave(await take());
        say(server, { ...delta, stream_id: 'lane-1' });
        const over = b.listener.next();
        say(server, event);
        await over;
        assert.ok(a.listener.end?.violation !== undefined);
        assert.ok(b.listener.end?.violation !== undefined);
        assert.equal(pool.stats.connections, 0);
      },
    );

  poolTest(
    'F5: a server that answers without names is served without, from its first answer on',
    { lanes },
    async ({ pool, server, take, leave }) => {
      const a = await join(pool);
      const heard = a.listener.next();
      say(server, delta);
      await heard;
      assert.equal(a.listener.texts.length, 1);
      const b = await take();
      assert.deepEqual([b.lane.connectionNumber, b.lane.streamId], [2, undefined]);
      const more = a.listener.next();
      say(server, delta);
      await more;
      leave(a, local('resp_1'));
      assert.equal(pool.stats.connections, 1);
    },
  );

  poolTest(
    'F5: where two might be meant by an answer without a name, both end, and say why',
    { lanes },
    async ({ pool, server, take }) => {
      const a = await join(pool);
      const b = await join(pool);
      const over = b.listener.next();
      say(server, delta);
      await over;
      for (const { listener } of [a, b]) assert.ok(listener.end?.cause instanceof LanesIgnoredError);
      assert.equal((await take()).lane.streamId, undefined);
    },
  );

  poolTest('a server that refuses names is given none any more', { lanes }, async ({ pool, take, leave }) => {
    const a = await take();
    pool.refuseLanes();
    const b = await take();
    assert.deepEqual([b.lane.connectionNumber, b.lane.streamId], [2, undefined]);
    leave(a);
    assert.equal(pool.stats.connections, 1);
  });

  poolTest('a server that takes no more names keeps the ones it has', { lanes }, async ({ take }) => {
    const a = await take();
    const b = await take();
    b.lane.rejectName();
    a.lane.complete(undefined);
    assert.equal((await take()).lane, a.lane);
    assert.equal((await take()).lane.connectionNumber, 2);
  });

  poolTest('without lanes: a connection of its own, also beside one with names', { lanes }, async ({ take }) => {
    await take();
    const plain = await take(undefined, true, { withoutLanes: true });
    assert.deepEqual([plain.lane.connectionNumber, plain.lane.streamId], [2, undefined]);
  });

  poolTest(
    'I1: an aborted lane drains to its terminal, and its neighbour goes on',
    { lanes },
    async ({ pool, server, take }) => {
      const a = await join(pool);
      const b = await join(pool);
      a.lane.abandon('turn aborted');
      assert.equal(a.lane.idle, false);
      say(server, { ...delta, stream_id: a.lane.streamId });
      say(server, { ...completed, stream_id: a.lane.streamId });
      const heard = b.listener.next();
      say(server, { ...delta, stream_id: b.lane.streamId });
      await heard;
      assert.deepEqual(a.listener.texts, []);
      assert.equal(b.listener.end, undefined);
      assert.equal((await take()).lane, a.lane);
    },
  );

  poolTest(
    'I1: a lane that does not drain in time ends its connection after its neighbour',
    { lanes },
    async ({ pool, clock, take, leave }) => {
      const a = await join(pool);
      const b = await join(pool);
      a.lane.abandon('turn aborted');
      clock.advance(30_001);
      assert.equal(b.listener.end, undefined);
      assert.equal((await take()).lane.connectionNumber, 2);
      leave(b);
      assert.equal(pool.stats.connections, 1);
    },
  );

  poolTest(
    'P48, I1: the lane of an aborted turn that was steered goes to noSignal: a successor may still come',
    { lanes },
    async ({ pool, server, take }) => {
      const a = await join(pool);
      const b = await join(pool);
      a.lane.abandon('turn aborted', true);
      say(server, { ...completed, stream_id: a.lane.streamId });
      const heard = b.listener.next();
      say(server, { ...delta, stream_id: b.lane.streamId });
      await heard;
      assert.equal(b.listener.end, undefined);
      assert.equal((await take()).lane.connectionNumber, 2);
    },
  );

  poolTest(
    'I1: an aborted turn that fails with an error and its response.failed costs its neighbour nothing',
    { lanes },
    async ({ pool, server }) => {
      const a = await join(pool);
      const b = await join(pool);
      a.lane.abandon('turn aborted');
      say(server, { type: 'error', error: { message: 'no' }, stream_id: a.lane.streamId });
      say(server, { type: 'response.failed', response: { id: 'r', status: 'failed' }, stream_id: a.lane.streamId });
      const heard = b.listener.next();
      say(server, { ...delta, stream_id: b.lane.streamId });
      await heard;
      assert.equal(b.listener.end, undefined);
    },
  );

  poolTest('I1: alone on its socket, an aborted lane ends it', { lanes }, async ({ pool, server }) => {
    const a = await join(pool);
    const [socket] = server.clients;
    assert.ok(socket !== undefined);
    const closed = once(socket, 'close');
    a.lane.abandon('turn aborted');
    await closed;
    assert.equal(pool.stats.connections, 0);
  });

  poolTest(
    'I4: who shares a socket cannot pause it; who is alone can, and gets no neighbours',
    { lanes },
    async ({ pool, leave }) => {
      const a = await join(pool);
      const b = await join(pool);
      assert.equal(a.lane.pause(), false);
      leave(b);
      assert.equal(a.lane.pause(), true);
      assert.equal((await join(pool)).lane.connectionNumber, 2);
      a.lane.resume();
      assert.equal((await join(pool)).lane.connectionNumber, 1);
    },
  );

  poolTest(
    'a turn that waits for a dial gets a lane whose neighbour has caught up meanwhile',
    { lanes },
    async (test) => {
      const { pool, server } = test;
      const a = await join(pool);
      assert.equal(a.lane.pause(), true);
      // The second dial is not answered.
      server.handleUpgrade = () => {};
      const second = join(pool);
      await eventually(() => pool.stats.dialled === 2);
      a.lane.resume();
      const { lane } = await second;
      assert.deepEqual([lane.connectionNumber, a.lane.connectionNumber], [1, 1]);
      assert.notEqual(lane.streamId, a.lane.streamId);
    },
  );
});

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
