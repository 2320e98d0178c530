import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hashKey } from '@turnwire/gateway';
import { Talk, joined, startNodes, until } from './nodes.js';
import { Shared, startRedis, withoutRedis } from './redis.js';
import type { Node, Nodes } from './nodes.js';
import type { RedisProcess } from './redis.js';

const limit = 12;
const handedOver = 5;
const principals = [
  { name: 'often', keys: [hashKey('sk-often')], upstream_key: 'SHARED', requests_per_minute: limit },
  { name: 'again', keys: [hashKey('sk-again')], upstream_key: 'SHARED', requests_per_minute: limit },
  { name: 'much', keys: [hashKey('sk-much')], upstream_key: 'SHARED', tokens_per_minute: 5 },
  { name: 'many', keys: [hashKey('sk-many')], upstream_key: 'SHARED', concurrent_turns: 2 },
  { name: 'once', keys: [hashKey('sk-once')], upstream_key: 'SHARED', requests_per_minute: handedOver },
  { name: 'waits', keys: [hashKey('sk-waits')], upstream_key: 'SHARED' },
];
const key = (name: string) => ({ authorization: `Bearer sk-${name}` });

describe('cluster: limits', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  let cluster: Nodes;
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
    const faults = [
      { on: { model: 'busy', times: 1 }, do: 'error status=429 code=rate_limit_exceeded headers={"retry-after":"30"}' },
    ];
    cluster = await startNodes(shared, redis, { principals, cluster: { deadline_ms: 300 } }, { faults });
    await joined(redis, ...cluster.nodes);
  });

  /** Turns one after the other, each on the next node, and how many of them were taken. */
  async function taken(name: string, turns: number): Promise<number> {
    let count = 0;
    for (let turn = 0; turn < turns; turn += 1) {
      const { status } = await node(turn).ask({ input: 'Hello.' }, key(name));
      assert(status === 200 || status === 429, `${status}`);
      if (status === 200) count += 1;
    }
    return count;
  }

  const node = (turn: number): Node => cluster.nodes[turn % 3] ?? cluster.nodes[0];

  test('requests a minute hold across nodes, except for turns that begin within one round trip', async () => {
    const from = performance.now();
    const count = await taken('often', 4 * limit);
    const back = Math.ceil(((performance.now() - from) * limit) / 60_000);
    assert(count >= limit, `${count} turns were taken`);
    assert(count <= limit + cluster.nodes.length + back, `${count} turns were taken`);
  });

  test('tokens a minute hold across nodes', async () => {
    assert.equal((await node(0).ask({ input: 'Hello.' }, key('much'))).status, 200);
    await until('another node knows', async () => (await node(1).ask({ input: 'Hello.' }, key('much'))).status === 429);
  });

  test('turns at once hold across nodes, and are free again with the session of a node', async () => {
    const account = async (): Promise<string> => {
      const keys = (await redis.command('KEYS', 't1:a:*')) as string[];
      const all = await Promise.all(keys.map((one) => redis.command('HGETALL', one)));
      return JSON.stringify(all);
    };
    const before = await account();
    // Somebody else runs two, in the name of a session that lives.
    assert.equal((await node(0).ask({ input: 'Hello.' }, key('many'))).status, 200);
    await until('the account is there', async () => (await account()) !== before);
    const keys = (await redis.command('KEYS', 't1:a:*')) as string[];
    for (const one of keys) await redis.command('HSET', one, 'node other', '2');
    await redis.command('SET', 't1:n:other', '', 'PX', '60000');
    await until('the limit holds', async () => (await node(1).ask({ input: 'Hello.' }, key('many'))).status === 429);
    await redis.command('DEL', 't1:n:other');
    await until('the limit is free', async () => (await node(1).ask({ input: 'Hello.' }, key('many'))).status === 200);
  });

  test('a turn that is handed over counts once', async () => {
    const talk = new Talk({ store: false });
    const plans: unknown[] = [];
    let bound = '';
    for (let turn = 0; turn < handedOver; turn += 1) {
      const { status, reason } = await talk.say(node(turn % 2), 'Hello.', key('once'));
      plans.push([status, reason]);
      const before = bound;
      await until('the other node can hand over', async () => {
        const [now = ''] = (await redis.command('KEYS', 't1:{????????}r*')) as string[];
        bound = now;
        return now !== before && now !== '';
      });
    }
    assert.deepEqual(plans, [
      [200, 'first_turn'],
      [200, 'relayed'],
      [200, null],
      [200, 'relayed'],
      [200, null],
    ]);
  });

  test('a wait that the upstream asked for holds on all nodes, for that model only', async () => {
    const { emulator } = cluster;
    assert.equal((await node(0).ask({ model: 'busy', input: 'Hello.' }, key('waits'))).status, 429);
    const seen = emulator.journal.turns().length;
    assert.equal((await node(0).ask({ model: 'busy', input: 'Hello.' }, key('waits'))).status, 429);
    assert.equal(emulator.journal.turns().length, seen, 'the node that was told asks no more');
    // The upstream itself would answer now: only another node can say no.
    await until('another node knows', async () => {
      const { status } = await node(1).ask({ model: 'busy', input: 'Hello.' }, key('waits'));
      return status === 429;
    });
    assert.equal((await node(1).ask({ model: 'other', input: 'Hello.' }, key('waits'))).status, 200);
  });

  test('without Redis each node applies the limit by itself', async () => {
    redis.pause();
    try {
      const count = await taken('again', 4 * limit);
      assert(count > 2 * limit, `${count} turns were taken`);
    } finally {
      redis.resume();
    }
  });
});
