import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { poolTest } from './pool-test.js';

describe('pool: idle connections', () => {
  poolTest(
    'pool: closes a connection that was idle for pool.maxIdleMs, and counts the chain that ends with it',
    { maxIdleMs: 60_000 },
    async ({ pool, clock, take }) => {
      const { lane } = await take();
      clock.advance(120_000);
      assert.equal(pool.stats.connections, 1, 'a connection with a turn is not idle');
      lane.complete({ responseId: 'resp_1', stored: false });
      clock.advance(59_000);
      assert.equal(pool.stats.connections, 1);
      clock.advance(2000);
      assert.deepEqual([pool.stats.connections, pool.stats.chainsGivenUp], [0, 1]);
    },
  );

  poolTest('pool: counts a chain whose lane goes to another turn', { maxConnections: 1 }, async ({ pool, take }) => {
    const { lane } = await take();
    lane.complete({ responseId: 'resp_1', stored: false });
    (await take('resp_1')).lane.complete({ responseId: 'resp_2', stored: false });
    assert.equal(pool.stats.chainsGivenUp, 0, 'a turn that continues it');
    await take();
    assert.equal(pool.stats.chainsGivenUp, 1);
  });
});
