// Dials: for a turn, for a burst of turns, and for noSignal yet.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { endpointOf } from '../../dist/network/endpoint.js';
import { createNetwork } from '../../dist/network/network.js';
import { Diagnostics } from '../../dist/diagnostics.js';
import { Pool } from '../../dist/pool/pool.js';
import { FakeClock } from '../base/fake-clock.js';
import { noSignal, usual, poolTest } from './pool-test.js';
import type { AddressInfo } from 'node:net';
import type { LaneListener } from '../../dist/pool/lane.js';
import type { LaneAssignment } from '../../dist/pool/placement.js';
import type { PoolSettings } from '../../dist/pool/pool-settings.js';

const listener: LaneListener = { asText: false, event: () => {}, alive: () => {}, lost: () => {} };

interface Gate {
  pool: Pool;
  clock: FakeClock;
  take: (signal?: AbortSignal) => Promise<LaneAssignment>;
  /** Upgrades that have been asked for. */
  asked: (count: number) => Promise<void>;
  /** Answers one of them, from 1. */
  answer: (number: number, status?: number) => void;
}

/** A server that answers upgrades when the test says so. */
function gate(name: string, settings: Partial<PoolSettings>, run: (gate: Gate) => Promise<void>): void {
  test(name, { timeout: 20_000 }, async () => {
    const http = createServer();
    const server = new WebSocketServer({ noServer: true });
    const upgrades: ((status?: number) => void)[] = [];
    http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      upgrades.push((status) => {
        if (status === undefined) server.handleUpgrade(request, socket, head, () => {});
        else socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const clock = new FakeClock();
    const endpoint = endpointOf(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, 'test');
    const pool = new Pool({
      diagnostics: new Diagnostics(undefined),
      network: createNetwork(endpoint, () => Promise.resolve({})),
      clock,
      maxConnections: 32,
      maxAgeMs: Infinity,
      maxIdleMs: Infinity,
      dialMs: 1000,
      queueMs: 1000,
      pingMs: Infinity,
      pongMs: 1000,
      lanes: undefined,
      random: () => 0,
      ...settings,
    });
    try {
      await run({
        pool,
        clock,
        take: (signal = noSignal) => pool.acquire(usual, listener, signal),
        asked: async (count) => {
          while (upgrades.length < count) await new Promise((resolve) => setImmediate(resolve));
        },
        answer: (number, status) => upgrades[number - 1]?.(status),
      });
      assert.equal(clock.waiting, 0);
    } finally {
      pool.destroy();
      http.closeAllConnections();
      http.close();
      for (const socket of server.clients) socket.terminate();
    }
  });
}

describe('pool: dials', () => {
  gate(
    'A13: a turn that comes during a slow warm-up takes its own connection; the other stays',
    {},
    async ({ pool, take, asked, answer }) => {
      const warm = pool.warm(noSignal);
      await asked(1);
      const turn = take();
      await asked(2);
      answer(2);
      const place = await turn;
      assert.deepEqual([place.lane.connectionNumber, place.reused], [2, false]);
      answer(1);
      await warm;
      assert.deepEqual(pool.stats, { dialled: 2, connections: 2, busy: 1, lanes: 1, chainsGivenUp: 0 });
      assert.equal((await take()).lane.connectionNumber, 1);
    },
  );

  gate(
    'A13: it takes the warm connection where that opens first; its own stays',
    {},
    async ({ pool, take, asked, answer }) => {
      const warm = pool.warm(noSignal);
      await asked(1);
      const turn = take();
      await asked(2);
      answer(1);
      await warm;
      assert.equal((await turn).lane.connectionNumber, 1);
      answer(2);
      while (pool.stats.connections < 2) await new Promise((resolve) => setImmediate(resolve));
      assert.equal((await take()).lane.connectionNumber, 2);
    },
  );

  gate(
    'A13: a warm-up that fails fails no turn, and the other way round',
    {},
    async ({ pool, take, asked, answer }) => {
      const warm = pool.warm(noSignal);
      await asked(1);
      const turn = take();
      await asked(2);
      answer(1, 503);
      await assert.rejects(warm, { code: 'upgrade_refused' });
      answer(2);
      assert.equal((await turn).lane.connectionNumber, 2);
      const again = pool.warm(noSignal);
      await asked(3);
      const next = take();
      await asked(4);
      answer(4, 503);
      while (pool.stats.dialled < 4) await new Promise((resolve) => setImmediate(resolve));
      answer(3);
      await again;
      assert.equal((await next).lane.connectionNumber, 3);
    },
  );

  gate(
    'A13: without room for a second, a warm-up that fails leaves its place to the turn',
    { maxConnections: 1 },
    async ({ pool, take, asked, answer }) => {
      const warm = pool.warm(noSignal);
      await asked(1);
      const turn = take();
      answer(1, 503);
      await assert.rejects(warm);
      await asked(2);
      answer(2);
      assert.equal((await turn).lane.connectionNumber, 2);
    },
  );

  gate('a warm-up dials nothing where a connection rests', {}, async ({ pool, take, asked, answer }) => {
    const turn = take();
    await asked(1);
    answer(1);
    (await turn).lane.complete(undefined);
    await pool.warm(noSignal);
    assert.equal(pool.stats.dialled, 1);
  });

  gate(
    'P44: a burst of turns shares the connection that is on its way',
    { lanes: { inFlight: 16, names: 32 } },
    async ({ pool, take, asked, answer }) => {
      const burst = Array.from({ length: 17 }, () => take());
      await asked(2);
      answer(1);
      answer(2);
      const places = await Promise.all(burst);
      const counts = [1, 2].map((number) => places.filter(({ lane }) => lane.connectionNumber === number).length);
      assert.deepEqual(
        counts.sort((a, b) => a - b),
        [1, 16],
      );
      assert.equal(pool.stats.dialled, 2);
    },
  );

  gate(
    'H5: who joined a dial loses nothing when the one who began it leaves',
    { lanes: { inFlight: 16, names: 32 } },
    async ({ take, asked, answer }) => {
      const leaving = new AbortController();
      const first = take(leaving.signal);
      const second = take();
      await asked(1);
      leaving.abort(new Error('enough'));
      await assert.rejects(first, /enough/);
      answer(1);
      assert.equal((await second).lane.connectionNumber, 1);
    },
  );

  gate(
    'a dial that fails fails its own turn; those who joined it dial themselves',
    { lanes: { inFlight: 16, names: 32 } },
    async ({ take, asked, answer }) => {
      const first = take();
      const second = take();
      await asked(1);
      answer(1, 503);
      await assert.rejects(first, { code: 'upgrade_refused' });
      await asked(2);
      answer(2);
      assert.equal((await second).lane.connectionNumber, 2);
    },
  );

  const refusals: string[] = [];
  gate(
    'A4: dials wait for their dialLimiter, which hears of refusals',
    {
      dialLimiter: {
        ready: () => (refusals.length === 0 ? 0 : refusals.pop() === 'rate_limit' ? 700 : 0),
        refused: (kind) => void refusals.push(kind),
      },
    },
    async ({ take, asked, answer, clock }) => {
      const refused = take();
      await asked(1);
      answer(1, 403);
      await assert.rejects(refused, { code: 'upgrade_refused' });
      assert.deepEqual(refusals, ['rate_limit']);
      const slow = take();
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(700);
      await asked(2);
      answer(2);
      assert.equal((await slow).lane.connectionNumber, 2);
    },
  );

  poolTest(
    'H6: a pool that is destroyed while it dials fails the turn and leaves nothing',
    {},
    async ({ take, pool, clock }) => {
      const turn = take();
      pool.destroy();
      await assert.rejects(turn, { code: 'client_closed' });
      assert.equal(pool.stats.connections, 0);
      assert.equal(clock.waiting, 0);
    },
  );
});
