// Connections that are alive, and those that only look so.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { once } from 'node:events';
import { MissingPongError } from '../../dist/protocol/errors/missing-pong.js';
import { noSignal, usual, poolTest } from './pool-test.js';
import type { WebSocketServer } from 'ws';
import type { WebSocketEnd } from '../../dist/network/client-websocket.js';
import type { LaneListener } from '../../dist/pool/lane.js';

/** The network stops carrying anything, both ways, and says nothing of it. */
function blackhole(server: WebSocketServer): void {
  for (const socket of server.clients) socket.pause();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe('pool: liveness', () => {
  for (const [what, lose] of [
    ['rested', (clock: { advance: (ms: number) => void }) => clock.advance(31_000)],
    ['slept', (clock: { jump: (ms: number) => void }) => clock.jump(600_000)],
    ['seen its clock set back', (clock: { jump: (ms: number) => void }) => clock.jump(-3_600_000)],
  ] as const)
    poolTest(
      `B1, B6: sockets that have ${what} and died cost two seconds, once, and noSignal a turn`,
      {},
      async ({ take, leave, clock, server, pool }) => {
        const places = [await take(), await take(), await take()];
        for (const place of places) leave(place);
        lose(clock);
        blackhole(server);
        const waiting = take();
        await until(() => clock.waiting >= 3);
        clock.advance(2000);
        clock.advance(50);
        const place = await waiting;
        assert.deepEqual([place.lane.connectionNumber, place.reused], [4, false]);
        assert.equal(pool.stats.connections, 1);
        assert.equal(clock.waiting, 0);
      },
    );

  poolTest('B1: a socket that has rested and lives is used again', {}, async ({ take, leave, clock }) => {
    leave(await take(), { responseId: 'resp_a', stored: false });
    clock.advance(600_000);
    const place = await take('resp_a');
    assert.deepEqual([place.lane.connectionNumber, place.reused], [1, true]);
    assert.equal(clock.waiting, 0);
  });

  poolTest(
    'H5: who leaves while its socket is asked leaves at once, and the lane is free',
    {},
    async ({ take, leave, clock, pool, server }) => {
      leave(await take());
      clock.advance(31_000);
      const leaving = new AbortController();
      const listener: LaneListener = {
        asText: false,
        event: () => {},
        alive: () => {},
        lost: () => assert.fail('lost'),
      };
      blackhole(server);
      const waiting = pool.acquire(usual, listener, leaving.signal);
      leaving.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
      for (const socket of server.clients) socket.resume();
      assert.equal((await take()).lane.connectionNumber, 1);
    },
  );

  poolTest(
    'B3: a turn whose peer stops answering pings is told that no pong came',
    { pingMs: 20_000, pongMs: 10_000 },
    async ({ pool, clock, server }) => {
      let alive = 0;
      let end: WebSocketEnd | undefined;
      const listener: LaneListener = {
        asText: false,
        event: () => {},
        alive: () => (alive += 1),
        lost: (how) => (end = how),
      };
      await pool.acquire(usual, listener, noSignal);
      // The pong to the opening's ping.
      await until(() => alive === 1);
      blackhole(server);
      clock.advance(40_000);
      assert.ok(end?.cause instanceof MissingPongError);
      assert.equal(pool.stats.connections, 0);
      assert.equal(clock.waiting, 0);
    },
  );

  poolTest('B3: a ping of the server is a sign of life', {}, async ({ pool, server }) => {
    let heard = (): void => {};
    const life = new Promise<void>((resolve) => (heard = resolve));
    const listener: LaneListener = { asText: false, event: () => {}, alive: () => heard(), lost: () => {} };
    await pool.acquire(usual, listener, noSignal);
    for (const socket of server.clients) socket.ping();
    await life;
  });

  poolTest(
    'I4: a paused socket takes a sip at times, and answers the pings in it',
    {},
    async ({ take, clock, server }) => {
      const { lane } = await take();
      assert.equal(lane.pause(), true);
      const [socket] = server.clients;
      assert.ok(socket !== undefined);
      const answered = once(socket, 'pong');
      socket.ping();
      clock.advance(1000);
      await answered;
      lane.resume();
      assert.equal(clock.waiting, 0);
    },
  );

  poolTest(
    'I4: a paused socket holds 16 MiB at most, however long its reader sleeps',
    { pongMs: 10_000 },
    async ({ pool, clock, server }) => {
      let bytes = 0;
      const listener: LaneListener = {
        asText: true,
        event: ({ size }) => (bytes += size),
        alive: () => {},
        lost: () => {},
      };
      const { lane } = await pool.acquire(usual, listener, noSignal);
      lane.pause();
      const [socket] = server.clients;
      const text = JSON.stringify({ type: 'response.output_text.delta', delta: 'x'.repeat(60_000) });
      for (let sent = 0; sent < 40_000_000; sent += text.length) socket?.send(text);
      for (let second = 0; clock.waiting > 0; second += 1) {
        assert.ok(second < 5000);
        clock.advance(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(bytes >= 16 * 1024 * 1024 && bytes < 18 * 1024 * 1024, String(bytes));
      lane.resume();
      await until(() => bytes >= 40_000_000);
    },
  );

  poolTest(
    'B7, I6: the age limit on an idle socket ends it, and nothing else',
    {},
    async ({ take, leave, server, pool }) => {
      leave(await take());
      for (const socket of server.clients)
        socket.send(JSON.stringify({ type: 'error', error: { code: 'websocket_connection_limit_reached' } }));
      await until(() => pool.stats.connections === 0);
      assert.equal((await take()).reused, false);
    },
  );

  poolTest(
    'B7, H9: an idle connection is replaced by itself, up to a twentieth early',
    { maxAgeMs: 100_000, random: () => 0.999 },
    async ({ take, leave, clock, pool }) => {
      const place = await take();
      leave(place);
      clock.advance(94_000);
      assert.equal(pool.stats.connections, 1);
      clock.advance(1100);
      assert.equal(pool.stats.connections, 0);
    },
  );

  poolTest(
    'B7: a running turn is not cut by the age limit; its connection ends after it',
    { maxAgeMs: 100_000 },
    async ({ take, leave, clock, pool }) => {
      const place = await take();
      clock.advance(200_000);
      assert.equal(pool.stats.busy, 1);
      leave(place, { responseId: 'resp_a', stored: false });
      assert.equal(pool.stats.connections, 0);
      assert.equal(pool.holds('resp_a'), false);
    },
  );

  poolTest(
    'B6: an age by the time of day counts, and is never negative',
    { maxAgeMs: 3_600_000 },
    async ({ take, leave, clock }) => {
      leave(await take());
      clock.jump(-7_200_000);
      assert.equal((await take()).lane.connectionNumber, 1);
      leave(await take());
      clock.jump(2 * 7_200_000);
      assert.equal((await take()).lane.connectionNumber, 3);
    },
  );

  poolTest(
    'B6: what a sleep has taken of an age is missing at its end',
    { maxAgeMs: 3_600_000 },
    async ({ take, leave, clock, pool }) => {
      leave(await take());
      clock.jump(2_400_000);
      leave(await take());
      assert.equal(pool.stats.connections, 1);
      clock.advance(1_200_000);
      assert.equal(pool.stats.connections, 0);
    },
  );
});
