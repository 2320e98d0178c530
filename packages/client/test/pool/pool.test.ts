// Placement and rotation (W19, P130), with real sockets and a clock of the test's own.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { maxAgeOf } from '../../dist/protocol/limits.js';
import { poolTest } from './pool-test.js';
import type { LaneChain } from '../../dist/pool/lane.js';

describe('pool: placement and rotation', () => {
  for (const [host, minutes] of [
    ['api.openai.com', 45],
    ['api.x.ai', 18.75],
  ] as const) {
    poolTest(
      `${host}: no new turn after ${minutes} minutes, and one just before`,
      { maxAgeMs: maxAgeOf(host, 900_000) },
      async ({ clock, take, leave, pool }) => {
        const first = await take();
        leave(first);
        clock.advance(minutes * 60_000 - 1);
        const second = await take();
        assert.deepEqual([second.lane.connectionNumber, second.reused], [1, true]);
        // A running turn is not cut.
        clock.advance(10 * 60_000);
        assert.equal(pool.stats.busy, 1);
        leave(second);
        const third = await take();
        assert.deepEqual([third.lane.connectionNumber, third.reused], [2, false]);
        assert.equal(pool.stats.connections, 1);
      },
    );
  }

  const stored = (responseId: string): LaneChain => ({ responseId, stored: true });
  const local = (responseId: string): LaneChain => ({ responseId, stored: false });

  poolTest(
    'rule 1: the connection that holds the response, also where another was used later',
    {},
    async ({ take, leave, clock }) => {
      const [a, b] = [await take(), await take()];
      leave(a, local('resp_a'));
      clock.advance(10);
      leave(b, stored('resp_b'));
      assert.equal((await take('resp_a')).lane, a.lane);
    },
  );

  poolTest('rule 2: the one used last, if nothing is lost by it', {}, async ({ take, leave, clock }) => {
    const [a, b, c] = [await take(), await take(), await take()];
    leave(a, stored('resp_a'));
    clock.advance(10);
    leave(b);
    clock.advance(10);
    leave(c, local('resp_c'));
    assert.equal((await take('resp_unknown')).lane, b.lane);
    assert.equal((await take()).lane, a.lane);
  });

  poolTest(
    'rules 3 and 4: a new one rather than someone’s chain; at the maximum the chain used least recently',
    { maxConnections: 3 },
    async ({ take, leave, clock }) => {
      const [a, b] = [await take(), await take()];
      leave(b, local('resp_b'));
      clock.advance(10);
      leave(a, local('resp_a'));
      const c = await take();
      assert.deepEqual([c.lane.connectionNumber, c.reused], [3, false]);
      assert.equal((await take()).lane, b.lane);
    },
  );

  poolTest(
    'a fresh one is dialled, also where it takes the place of an idle one',
    { maxConnections: 1 },
    async ({ take, leave, pool }) => {
      leave(await take(), stored('resp_a'));
      const fresh = await take('resp_a', true);
      assert.deepEqual([fresh.lane.connectionNumber, fresh.reused], [2, false]);
      assert.equal(pool.stats.connections, 1);
    },
  );

  poolTest(
    'who waits is served in order; who comes later does not overtake',
    { maxConnections: 1 },
    async ({ take, leave }) => {
      const place = await take();
      const order: number[] = [];
      const waiting = [1, 2].map(async (number) => {
        const got = await take();
        order.push(number);
        leave(got);
      });
      leave(place);
      waiting.push(
        (async () => {
          const got = await take();
          order.push(3);
          leave(got);
        })(),
      );
      await Promise.all(waiting);
      assert.deepEqual(order, [1, 2, 3]);
    },
  );

  poolTest('waiting has its limit, and leaves no timer', { maxConnections: 1 }, async ({ take, clock }) => {
    await take();
    const waiting = take();
    clock.advance(999);
    assert.equal(clock.waiting, 1);
    clock.advance(1);
    await assert.rejects(waiting, { code: 'queue_timeout' });
    assert.equal(clock.waiting, 0);
  });
});
