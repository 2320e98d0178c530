import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestSocket } from '../websocket-client.js';
import { message } from '../setup.js';
import { Talk, entries, joined, startNode, startNodes, until } from './nodes.js';
import { Shared, startProxy, startRedis, withoutRedis } from './redis.js';
import type { RefusedUpgrade } from '../websocket-client.js';
import type { Nodes } from './nodes.js';
import type { RedisProcess } from './redis.js';

const unstored = { store: false };
const contexts = 't1:{????????}c*';

/** What the upstream has read for the newest turn. */
function newest({ emulator }: Nodes) {
  const turn = emulator.journal.turns().at(-1);
  assert(turn !== undefined);
  return turn;
}

describe('cluster: without a store', () => {
  test('a chain that lives on another node is sent in full, and its id is not found', async (t) => {
    const { nodes } = await startNodes(t, undefined);
    const talk = new Talk(unstored);
    await talk.say(nodes[0], 'One.');
    const second = await talk.say(nodes[1], 'Two.');
    assert.deepEqual([second.status, second.plan, second.reason], [200, 'full', 'history_unknown']);
    const byId = await nodes[2].ask({ ...unstored, previous_response_id: second.id, input: 'Three.' });
    assert.deepEqual([byId.status, byId.code], [400, 'previous_response_not_found']);
  });
});

describe('cluster: chains', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  let cluster: Nodes;

  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
    cluster = await startNodes(shared, redis);
    await joined(redis, ...cluster.nodes);
  });

  test('a stored chain is sent as deltas, whichever node its turns reach', async () => {
    const { nodes } = cluster;
    const talk = new Talk();
    const plans: (string | null)[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const said = [...talk.history, message(`Turn ${turn}.`)];
      const { plan } = await talk.say(nodes[turn % 3] ?? nodes[0], `Turn ${turn}.`);
      plans.push(plan);
      await entries(redis, contexts, turn + 1);
      assert.deepEqual(wordsOf(newest(cluster).transcript), wordsOf(said));
    }
    assert.deepEqual(plans, ['full', 'delta', 'delta', 'delta', 'delta', 'delta', 'delta']);
    assert(newest(cluster).bytes < 400, 'the last delta has one item');
  });

  test('other fields, or another key, find nothing', async () => {
    const { nodes } = cluster;
    const talk = new Talk();
    await talk.say(nodes[0], 'One.');
    await entries(redis, contexts, 1);
    const other = new Talk({ instructions: 'Other.' });
    other.history.push(...talk.history);
    assert.equal((await other.say(nodes[1], 'Two.')).plan, 'full');
    const stranger = new Talk();
    stranger.history.push(...talk.history);
    const read = await stranger.say(nodes[2], 'Two.', { authorization: 'Bearer sk-of-another' });
    assert.equal(read.plan, 'full');
  });

  test('a response that the upstream has lost is forgotten, and the turn goes in full within the same answer', async (t) => {
    const lost = await startNodes(t, redis, {}, { faults: [{ on: { turn: 2 }, do: 'forget' }] });
    await joined(redis, ...lost.nodes);
    const before = (await redis.command('KEYS', contexts)) as string[];
    const talk = new Talk({ instructions: 'Lost.' });
    await talk.say(lost.nodes[0], 'One.');
    const entry = (await entries(redis, contexts, before.length + 1)).find((key) => !before.includes(key));
    assert(entry !== undefined);
    const second = await talk.say(lost.nodes[1], 'Two.');
    assert.deepEqual([second.status, second.plan, second.reason], [200, 'full', 'chain_lost']);
    await until('the entry is gone', async () => (await redis.command('EXISTS', entry)) === 0);
    assert.deepEqual(
      lost.emulator.journal.turns().map(({ plan, outcome }) => [plan, outcome]),
      [
        ['full', 'completed'],
        ['delta', 'refused'],
        ['full', 'completed'],
      ],
    );
  });

  test('a turn on a chain that is bound to a socket is carried once, by the node that has the chain', async () => {
    const { nodes, emulator } = cluster;
    const talk = new Talk({ ...unstored, instructions: 'Bound.' });
    const before = emulator.journal.turns().length;
    for (let turn = 0; turn < 5; turn += 1) {
      const said = [...talk.history, message(`Turn ${turn}.`)];
      const read = await talk.say(nodes[turn % 3] ?? nodes[0], `Turn ${turn}.`);
      assert.equal(read.status, 200);
      if (turn % 3 !== 0) assert.equal(read.reason, 'relayed');
      assert.deepEqual(wordsOf(newest(cluster).transcript), wordsOf(said));
      await leaseOf(redis, turn);
    }
    const turns = emulator.journal.turns().slice(before);
    assert.deepEqual(
      turns.map(({ plan, outcome }) => [plan, outcome]),
      [['full', 'completed'], ...Array.from({ length: 4 }, () => ['delta', 'completed'])],
    );
    assert.equal(new Set(turns.map(({ connection }) => connection)).size, 1);
  });

  test('a turn that names a response of another node’s socket is carried there, as events and as JSON', async () => {
    const { nodes } = cluster;
    const params = { ...unstored, instructions: 'By id.' };
    const first = await nodes[0].ask({ ...params, input: 'One.' });
    await boundTo(redis, first.id);
    const second = await nodes[1].ask({ ...params, previous_response_id: first.id, input: 'Two.' });
    assert.deepEqual([second.status, second.reason], [200, 'relayed']);
    await boundTo(redis, second.id);
    const third = await fetch(`${nodes[2].gateway.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test' },
      body: JSON.stringify({ model: 'any', ...params, previous_response_id: second.id, input: 'Three.', stream: true }),
    });
    assert.match(await third.text(), /event: response\.completed\n/);
    assert.deepEqual(newest(cluster).transcript.length, 5);
  });

  test('the chain of a node that is gone or drains continues on another node, in full and without a wait', async (t) => {
    const { nodes, emulator } = cluster;
    for (const end of ['destroy', 'close'] as const) {
      const node = await startNode(t, emulator.url, redis);
      await joined(redis, node);
      const talk = new Talk({ ...unstored, instructions: `Ends by ${end}.` });
      const { id } = await talk.say(node, 'One.');
      await boundTo(redis, id);
      await node.gateway[end]();
      const second = await talk.say(nodes[0], 'Two.');
      assert.deepEqual([second.status, second.plan], [200, 'full']);
      assert.match(second.reason ?? '', /^history_/);
      await boundTo(redis, second.id);
      const third = await talk.say(nodes[1], 'Three.');
      assert.deepEqual([third.status, third.reason], [200, 'relayed']);
      assert.equal(newest(cluster).plan, 'delta');
    }
  });

  for (const params of [{}, unstored])
    test(`a turn of a known chain sends Redis no command before its first event, and others send one: ${JSON.stringify(params)}`, async (t) => {
      const proxy = await startProxy(t, redis);
      const node = await startNode(t, cluster.emulator.url, proxy);
      await joined(redis, node);
      /** How many questions were asked when the head of an answer has come, which its first event brings. */
      const begun = async (input: object[]): Promise<[plan: string | null, questions: number]> => {
        proxy.take();
        const answer = await fetch(`${node.gateway.url}/responses`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test' },
          body: JSON.stringify({ model: 'any', ...params, instructions: 'Local.', input, stream: true }),
        });
        const questions = asked(proxy.take());
        await answer.text();
        return [answer.headers.get('x-turnwire-plan'), questions];
      };
      const talk = new Talk({ ...params, instructions: 'Local.' });
      await talk.say(node, 'One.');
      assert.deepEqual(await begun([...talk.history, message('Two.')]), ['delta', 0]);
      const foreign = [message('One.'), message('Of another node.', 'assistant'), message('Two.')];
      assert.deepEqual(await begun(foreign), ['full', 1]);
      await talk.say(node, 'Two.');
      proxy.hold();
      assert.deepEqual(await begun([...talk.history, message('Three.')]), ['delta', 0]);
    });

  test('only a gateway of the deployment can mark a request as handed over', async () => {
    const { nodes } = cluster;
    const read = await nodes[0].ask({ input: 'One.' }, { 'x-turnwire-relayed': 'of-a-client' });
    assert.deepEqual([read.status, read.code], [403, 'forbidden']);
    const offer = await fetch(`${nodes[0].gateway.url.replace(/\/v1$/, '')}/cluster/offer?response=a`, {
      method: 'POST',
    });
    assert.equal(offer.status, 409);
    const upgrade = TestSocket.open(nodes[0].gateway.url, { 'x-turnwire-relayed': 'of-a-client' });
    await assert.rejects(upgrade, (error: RefusedUpgrade) => error.status === 403);
  });

  test('nothing of contents, names and keys is in Redis, and every entry expires', async () => {
    const keys = (await redis.command('KEYS', '*')) as string[];
    assert(keys.length > 10);
    for (const key of keys) {
      assert(((await redis.command('PTTL', key)) as number) > 0, `${key} ends`);
      const value = await redis.command('GET', key);
      assert.match(String(value), /^(?:s\S+|b\S+ \S+|\d+ \S+ \S+ \S+|\S+ http:\/\/127\.0\.0\.1:\d+|1)$/);
    }
  });
});

/** How many questions are in what was sent to Redis: all but what is told, and signs of life. */
function asked(sent: string): number {
  return sent.split(/(?=\*\d+\r\n\$\d+\r\n[A-Z])/).filter((command) => command.endsWith('t1:n:\r\n')).length;
}

/** What is said in items, whatever else they have. */
function wordsOf(items: readonly object[]): unknown[] {
  return items.map((item) => {
    const { role, content } = item as { role?: string; content?: unknown };
    const text = typeof content === 'string' ? content : (content as { text?: string }[])[0]?.text;
    return [role, text];
  });
}

/** Waits until a chain of this test has moved on. */
async function leaseOf(redis: RedisProcess, turn: number): Promise<void> {
  const before = seen.get(redis) ?? new Set<string>();
  seen.set(redis, before);
  await until(`the lease after turn ${turn}`, async () => {
    const keys = ((await redis.command('KEYS', 't1:{????????}r*')) as string[]).filter((key) => !before.has(key));
    for (const key of keys) before.add(key);
    return keys.length > 0;
  });
}

const seen = new WeakMap<RedisProcess, Set<string>>();

/** Waits until a response is bound to a node. */
async function boundTo(redis: RedisProcess, id: string): Promise<void> {
  assert.notEqual(id, '');
  await leaseOf(redis, 0);
}
