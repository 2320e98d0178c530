import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectRedis } from '../../../packages/gateway/dist/cluster/redis/connection.js';
import { ContextIndex } from '../../../packages/gateway/dist/cluster/chains/context-index.js';
import { Keys } from '../../../packages/gateway/dist/cluster/keys.js';
import { Leases } from '../../../packages/gateway/dist/cluster/chains/leases.js';
import { Session } from '../../../packages/gateway/dist/cluster/session.js';
import { RedisStore } from '../../../packages/gateway/dist/cluster/redis/redis-store.js';
import { until } from './nodes.js';
import { Shared, startRedis, withoutRedis, uncounted } from './redis.js';
import type { RedisConnection } from '../../../packages/gateway/dist/cluster/redis/connection.js';
import type { ChainLocation } from '../../../packages/gateway/dist/cluster/chains/context-index.js';
import type { RedisProcess } from './redis.js';

/** How the network treats the commands of a node. */
type Network = (connection: RedisConnection, args: readonly string[]) => Promise<unknown>;

const once: Network = (connection, args) => connection.command(args);
const twice: Network = async (connection, args) => {
  await connection.command(args);
  return connection.command(args);
};

const keys = new Keys('what-all-gateways-of-a-test-share');
const tenant = keys.tenant({ id: 'alice', identity: {} }, 'http://upstream/v1');

describe('leases of chains', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
  });

  async function node(name: string, network: Network = once) {
    const connected = connectRedis({ place: { name: 'server', url: redis.url } });
    const store = new RedisStore({
      connect: async () => {
        const connection = await connected;
        return { command: (args) => network(connection, args), destroy: () => connection.destroy() };
      },
      onWarning: () => {},
      deadlineMs: 2000,
      counters: uncounted,
    });
    const session = new Session({ store, keys, counters: uncounted, address: `http://${name}`, onHeartbeat: () => {} });
    shared.after(() => {
      session.end();
      store.close();
    });
    session.start();
    await until(`${name} has joined`, () => session.id);
    const leases = new Leases(store, session, uncounted);
    const contexts = new ContextIndex(store, keys, uncounted);
    const advance = (
      responseId: string,
      { continued, taken }: { continued?: string; taken?: ChainLocation | undefined } = {},
    ) =>
      leases.advance({
        tenant,
        responseId,
        continued,
        taken: taken?.name === 'node' ? taken.lease : undefined,
        digests: [`after ${responseId}`],
        holds: () => true,
      });
    const owner = async (responseId: string): Promise<string | undefined> => {
      const place = await contexts.findNode(tenant, responseId);
      const [end] = [{ from: 1, digest: `after ${responseId}` }];
      const byContext = end && (await contexts.findLongest(tenant, [end]));
      assert.deepEqual(byContext, place, 'the response and its context lead to the same');
      return place?.address;
    };
    const place = (responseId: string) => contexts.findNode(tenant, responseId);
    return { session, leases, advance, owner, place };
  }

  test('the last response of a chain leads to the node that holds it, and no earlier response does', async () => {
    const a = await node('a');
    await a.advance('first-1');
    assert.equal(await a.owner('first-1'), 'http://a');
    await a.advance('first-2', { continued: 'first-1' });
    assert.equal(await a.owner('first-1'), undefined);
    assert.equal(await a.owner('first-2'), 'http://a');
    assert.equal(a.leases.holds(tenant.response('first-2')), true);
    assert.equal(a.leases.holds(tenant.response('first-1')), false);
  });

  test('the write of a former owner after a take-over is refused', async () => {
    const [a, b] = [await node('a'), await node('b')];
    await a.advance('taken-1');
    const taken = await b.place('taken-1');
    assert.equal(taken?.address, 'http://a');
    await b.advance('taken-2', { taken });
    assert.equal(await a.owner('taken-2'), 'http://b');
    await a.advance('taken-1b', { continued: 'taken-1' });
    assert.equal(await b.owner('taken-1b'), undefined);
    assert.equal(a.leases.holds(tenant.response('taken-1b')), false);
    assert.equal(await a.owner('taken-2'), 'http://b');
  });

  test('of two nodes that take over the same lease, one gets it', async () => {
    const [a, b, c] = [await node('a'), await node('b'), await node('c')];
    await a.advance('raced-1');
    const taken = await b.place('raced-1');
    await Promise.all([b.advance('raced-b', { taken }), c.advance('raced-c', { taken })]);
    const owners = [await a.owner('raced-b'), await a.owner('raced-c')];
    assert.equal(owners.filter((one) => one !== undefined).length, 1);
  });

  test('leases end with the session of their node, and a late sign of life does not bring them back', async () => {
    const [a, b] = [await node('a'), await node('b')];
    await a.advance('lapsed-1');
    const lapsed = a.session.id;
    assert(lapsed !== undefined);
    await redis.command('DEL', keys.node(lapsed));
    assert.equal(await b.owner('lapsed-1'), undefined);
    await a.advance('lapsed-2', { continued: 'lapsed-1' });
    assert.equal(await b.owner('lapsed-2'), undefined);
    await until('another session', () => a.session.id !== undefined && a.session.id !== lapsed);
    assert.equal(await redis.command('EXISTS', keys.node(lapsed)), 0);
    assert.equal(await b.owner('lapsed-1'), undefined);
    await a.advance('lapsed-3');
    assert.equal(await b.owner('lapsed-3'), 'http://a');
  });

  test('an address that no node of the deployment has written is not believed: keys of clients would be sent to it', async () => {
    const [a, b] = [await node('a'), await node('b')];
    await a.advance('forged-1');
    const key = keys.node(a.session.id ?? '');
    assert.equal(await b.owner('forged-1'), 'http://a');
    const own = String(await redis.command('GET', key));
    for (const forged of [
      'http://elsewhere',
      own.replace('http://a', 'http://elsewhere'),
      String(await redis.command('GET', keys.node(b.session.id ?? ''))),
    ]) {
      await redis.command('SET', key, forged, 'PX', '6000');
      assert.equal(await b.owner('forged-1'), undefined);
    }
  });

  test('a node that drains gives up all its leases at once', async () => {
    const [a, b] = [await node('a'), await node('b')];
    await a.advance('drained-1');
    a.session.end();
    await until('the lease is free', async () => (await b.owner('drained-1')) === undefined);
    await a.advance('drained-2', { continued: 'drained-1' });
    assert.equal(await b.owner('drained-2'), undefined);
  });

  test('a write that is executed twice counts once, also that of a former owner', async () => {
    const [a, b] = [await node('a', twice), await node('b')];
    await a.advance('twice-1');
    await a.advance('twice-2', { continued: 'twice-1' });
    assert.equal(await b.owner('twice-1'), undefined);
    assert.equal(await b.owner('twice-2'), 'http://a');
    assert.equal(a.leases.holds(tenant.response('twice-2')), true);
    const taken = await b.place('twice-2');
    await b.advance('twice-3', { taken });
    await a.advance('twice-2b', { continued: 'twice-2' });
    assert.equal(await a.owner('twice-3'), 'http://b');
  });

  test('a write that comes late, after another node has taken over, changes nothing', async () => {
    const late: (() => Promise<unknown>)[] = [];
    const [a, b] = [
      await node('a', async (connection, args) => {
        late.push(() => connection.command(args));
        return connection.command(args);
      }),
      await node('b'),
    ];
    await a.advance('late-1');
    const write = late.at(-1);
    const taken = await b.place('late-1');
    await b.advance('late-2', { taken });
    assert.equal(await write?.(), '0');
    assert.equal(await a.owner('late-2'), 'http://b');
    assert.equal(await a.owner('late-1'), undefined);
  });

  test('a write whose answer is lost is not built upon', async () => {
    let isLost = false;
    const [a, b] = [
      await node('a', async (connection, args) => {
        const reply = await connection.command(args);
        if (isLost) throw new Error('lost');
        return reply;
      }),
      await node('b'),
    ];
    await a.advance('lost-1');
    isLost = true;
    await a.advance('lost-2', { continued: 'lost-1' });
    isLost = false;
    assert.equal(await b.owner('lost-2'), 'http://a');
    assert.equal(a.leases.holds(tenant.response('lost-2')), false, 'it declines, and the turn goes in full');
    await a.advance('lost-3', { continued: 'lost-2' });
    assert.equal(await b.owner('lost-3'), 'http://a');
  });
});
