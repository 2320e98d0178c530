import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { TestSocket } from '../websocket-client.js';
import { message } from '../setup.js';
import { Talk, entries, joined, startNode, startNodes } from './nodes.js';
import { Shared, startRedis, withoutRedis } from './redis.js';
import type { Nodes } from './nodes.js';
import type { RedisProcess } from './redis.js';

describe('cluster: a deploy', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  let cluster: Nodes;
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
    cluster = await startNodes(shared, redis, {}, { latency: { tokensPerSecond: 40 } });
    await joined(redis, ...cluster.nodes);
  });

  test('node after node is replaced under a conversation: each turn runs once, and WebSockets are closed with 1012 after their turns', async (t) => {
    const { emulator } = cluster;
    const nodes = [...cluster.nodes];
    const talk = new Talk({ store: false });
    for (let index = 0; index < 3; index += 1) {
      const node = nodes[index];
      assert(node !== undefined);
      const socket = await TestSocket.open(node.gateway.url, { authorization: 'Bearer sk-of-a-test' });
      socket.send({
        type: 'response.create',
        model: 'any',
        store: false,
        input: [message(`Socket ${index} has ten words to say, one by one.`)],
      });
      await socket.next(({ type }) => type === 'response.created');
      const drained = node.gateway.close();
      const read = await talk.say(nodes[(index + 1) % 3] ?? node, `Turn ${index}.`);
      assert.equal(read.status, 200);
      // The running turn is answered to its end; then the socket closes.
      assert.equal((await socket.end()).type, 'response.completed');
      assert.equal((await socket.gone()).code, 1012);
      await drained;
      nodes[index] = await startNode(t, emulator.url, redis);
      await joined(redis, nodes[index] ?? node);
    }
    const turns = emulator.journal.turns();
    assert.deepEqual(
      turns.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'completed'),
      [],
    );
    assert.equal(turns.length, 6);
  });

  test('a version with another layout has keys of its own, and entries of the other version change nothing', async () => {
    const talk = new Talk({ instructions: 'Two versions.' });
    const [a, b] = [
      await startNode(shared, cluster.emulator.url, redis),
      await startNode(shared, cluster.emulator.url, redis),
    ];
    await joined(redis, a, b);
    const before = ((await redis.command('KEYS', 't1:{????????}c*')) as string[]).length;
    await talk.say(a, 'One.');
    const keys = await entries(redis, 't1:{????????}c*', before + 1);
    // Of a version to come: values that this one does not know are as if they were not there.
    for (const key of keys) await redis.command('SET', key, '2 something of another form', 'PX', '60000');
    for (const key of keys) await redis.command('SET', key.replace('t1:', 't2:'), 'sresp_of_another', 'PX', '60000');
    const second = await talk.say(b, 'Two.');
    assert.deepEqual([second.status, second.plan], [200, 'full']);
    assert.deepEqual([...a.warnings, ...b.warnings], []);
  });

  test('the openai SDK continues through any node', async () => {
    const [a, b] = [
      await startNode(shared, cluster.emulator.url, redis),
      await startNode(shared, cluster.emulator.url, redis),
    ];
    await joined(redis, a, b);
    const clients = [a, b].map(
      ({ gateway }) => new OpenAI({ baseURL: gateway.url, apiKey: 'sk-of-a-test', maxRetries: 0 }),
    );
    const input: OpenAI.Responses.ResponseInput = [];
    const before = cluster.emulator.journal.turns().length;
    let known = ((await redis.command('KEYS', 't1:{????????}c*')) as string[]).length;
    for (let turn = 0; turn < 4; turn += 1) {
      input.push({ role: 'user', content: `Turn ${turn}.` });
      const stream = clients[turn % 2]?.responses.stream({ model: 'any', instructions: 'By SDK.', input });
      const response = await stream?.finalResponse();
      input.push(...((response?.output ?? []) as OpenAI.Responses.ResponseInput));
      await entries(redis, 't1:{????????}c*', (known += 1));
    }
    const plans = cluster.emulator.journal
      .turns()
      .slice(before)
      .map(({ plan }) => plan);
    assert.deepEqual(plans, ['full', 'delta', 'delta', 'delta']);
  });
});
