import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hashKey } from '@turnwire/gateway';
import { message } from '../setup.js';
import { Talk, entries, joined, startNodes, until } from './nodes.js';
import { Shared, startRedis, withoutRedis } from './redis.js';
import type { Node, Nodes } from './nodes.js';
import type { RedisProcess } from './redis.js';

const alice = { authorization: 'Bearer sk-alice' };
const bob = { authorization: 'Bearer sk-bob' };

/** Two principals who share one key of the upstream: it would give each the responses of the other. */
const principals = [
  { name: 'alice', keys: [hashKey('sk-alice')], upstream_key: 'SHARED' },
  { name: 'bob', keys: [hashKey('sk-bob')], upstream_key: 'SHARED' },
];

/** Asks by the id alone, of whichever principal. */
async function continued(node: Node, id: string, headers: Record<string, string>): Promise<unknown[]> {
  const { status, code } = await node.ask({ previous_response_id: id, input: 'Go on.' }, headers);
  return [status, code];
}

const found = [200, undefined];
const notFound = [400, 'previous_response_not_found'];

describe('cluster: ids of principals', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  let cluster: Nodes;
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
    cluster = await startNodes(
      shared,
      redis,
      { principals, cluster: { deadline_ms: 300 } },
      { credentials: 'separate' },
    );
    await joined(redis, ...cluster.nodes);
  });

  test('an id is found on every node by the principal that got it, and by no other', async () => {
    const [a, b, c] = cluster.nodes;
    const { id, output } = await a.ask({ input: 'One.' }, alice);
    await entries(redis, 't1:o:*', 2);
    assert.deepEqual(await continued(b, id, bob), notFound);
    assert.deepEqual(await continued(b, id, alice), found);
    assert.deepEqual(await continued(c, id, bob), notFound);
    const item = { type: 'item_reference', id: (output[0] as { id: string }).id };
    const reads = [alice, bob].map((who) => c.ask({ input: [item, message('Two.')] }, who));
    assert.deepEqual(
      (await Promise.all(reads)).map(({ status }) => status),
      [200, 404],
    );
    const get = (node: Node, headers: Record<string, string>): Promise<number> =>
      fetch(`${node.gateway.url}/responses/${id}`, { headers }).then(({ status }) => status);
    assert.deepEqual([await get(c, alice), await get(c, bob)], [200, 404]);
  });

  test('an id that a client puts into its own input does not become its own', async () => {
    const [a, b] = cluster.nodes;
    const { output } = await a.ask({ input: 'Mine.' }, alice);
    const [item] = output as { id: string }[];
    assert(item !== undefined);
    const claimed = await b.ask(
      { input: [{ ...message('Claimed.', 'assistant'), id: item.id }, message('Go on.')] },
      bob,
    );
    assert.equal(claimed.status, 200);
    const read = await b.ask({ input: [{ type: 'item_reference', id: item.id }, message('Go on.')] }, bob);
    assert.deepEqual([read.status, read.code], [404, 'not_found']);
  });

  test('two principals with the same words in their history each continue their own response', async () => {
    const [a, b] = cluster.nodes;
    const talk = new Talk({ instructions: 'The same words.' });
    const before = ((await redis.command('KEYS', 't1:{????????}c*')) as string[]).length;
    await talk.say(a, 'One.', alice);
    await entries(redis, 't1:{????????}c*', before + 1);
    const other = new Talk({ instructions: 'The same words.' });
    other.history.push(...talk.history);
    assert.equal((await other.say(b, 'Two.', bob)).plan, 'full');
    assert.equal((await talk.say(b, 'Two.', alice)).plan, 'delta');
  });

  test('Redis away: an id that this node does not know is not found, and a chain that it knows goes on', async () => {
    const [a, b] = cluster.nodes;
    const talk = new Talk({ instructions: 'While Redis is away.' });
    const first = await talk.say(a, 'One.', alice);
    await until('the id is shared', async () => (await continued(b, first.id, alice))[0] === 200);
    const { id } = await a.ask({ input: 'Not asked for yet.' }, alice);
    redis.pause();
    try {
      assert.deepEqual(await continued(b, id, alice), notFound);
      const { status, plan } = await talk.say(a, 'Two.', alice);
      assert.deepEqual([status, plan], [200, 'delta']);
      assert.deepEqual(await continued(a, id, alice), found);
      assert.deepEqual(await continued(a, id, bob), notFound);
      for (let count = 0; count < 3; count += 1) assert.deepEqual(await continued(b, id, alice), notFound);
      assert.equal(b.warnings.filter((warning) => warning.includes('Redis is away')).length, 1);
    } finally {
      redis.resume();
    }
    await until('the id is found', async () => (await continued(b, id, alice))[0] === 200);
    assert.deepEqual(await continued(b, id, bob), notFound);
  });
});
