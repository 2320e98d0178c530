// A short run of what `npm run soak -- cluster` does for longer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chaos } from './chaos/chaos.js';
import { runConversations } from './chaos/conversations.js';
import { startUpstream } from './chaos/upstream.js';
import { startRedis, withoutRedis } from './redis.js';

describe('the oracle of the chaos', () => {
  for (const [wrong, expected] of [
    [{}, { lost: 0, doubled: 0, mixedUp: 0 }],
    [{ forgets: true }, { lost: 0, doubled: 0, mixedUp: 1 }],
    [{ repeats: true }, { lost: 0, doubled: 20, mixedUp: 0 }],
  ] as const)
    test(`it detects the fault of the upstream: ${JSON.stringify(wrong)}`, async (t) => {
      const upstream = await startUpstream(t, wrong);
      const options = { upstream, turns: 20, conversations: 10, concurrency: 1, route: () => upstream.url };
      // Ten conversations take turns. Of the two that continue by id, one is stored, and does so once.
      const { lost, doubled, mixedUp } = await runConversations({ ...options, random: () => 0 });
      assert.deepEqual({ lost, doubled, mixedUp }, expected);
    });
});

describe('cluster: three gateways behind round robin', { skip: withoutRedis }, () => {
  test('no turn is lost, doubled or mixed up while nodes are killed and deployed, their clocks and that of Redis jump, and Redis pauses and restarts', async (t) => {
    const redis = await startRedis(t, [], { hasClock: true });
    const result = await chaos(t, {
      routing: 'round robin',
      redis,
      turns: 180,
      conversations: 15,
      faultEvery: 30,
      seed: 1,
    });
    const { turns, overWebSockets, lost, doubled, mixedUp, othersTurns, deltaShare, faults } = result;
    assert.deepEqual(
      { turns, lost, doubled, mixedUp, othersTurns },
      { turns: 180, lost: 0, doubled: 0, mixedUp: 0, othersTurns: 0 },
    );
    assert(overWebSockets > 30, `${overWebSockets} turns went over WebSockets`);
    // Without a C compiler the clock of Redis stays as it is, and the first fault comes once more.
    assert.deepEqual(Object.values(faults), redis.jumpTo ? [1, 1, 1, 1, 1, 1] : [2, 1, 1, 1, 1]);
    assert(deltaShare > 0.3, `${deltaShare} went up as deltas`);
  });
});
