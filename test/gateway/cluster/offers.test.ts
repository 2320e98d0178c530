// Offers of turns to other nodes: where they lead when the address of a node is not that node's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { describe, test } from 'node:test';
import { Keys } from '../../../packages/gateway/dist/cluster/keys.js';
import { Peers } from '../../../packages/gateway/dist/cluster/peers.js';
import { configOf } from '../../../packages/gateway/dist/config/file.js';
import { message } from '../setup.js';
import { TestSocket } from '../websocket-client.js';
import { Talk, entries, startNode, startNodes, until } from './nodes.js';
import { startRedis, withoutRedis } from './redis.js';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import type { Principal } from '../../../packages/gateway/dist/upstream/principal.js';

const principal: Principal = { id: 'alice', name: 'alice', received: {}, identity: {}, policy: undefined };

async function addressOf(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('cluster: offers', () => {
  test('are not made for a while to a node that has not answered three', async (t) => {
    let requests = 0;
    const silent = createServer(() => (requests += 1));
    t.after(() => silent.closeAllConnections());
    const address = await addressOf(t, silent);
    const outcomes: string[] = [];
    const { upstream, limits } = configOf({ upstream: { base_url: 'http://127.0.0.1:1' } });
    const peers = new Peers(new Keys('what-all-gateways-of-a-test-share'), {
      upstream: () => upstream,
      limits,
      onWarning: () => {},
      counters: { count: (_, outcome) => outcomes.push(outcome), repliedIn: () => {} },
    });
    t.after(() => peers.destroy());
    const location = { name: 'node', session: 'a', address, response: 'b', lease: { chain: 'c', fence: '1' } } as const;
    for (let count = 0; count < 6; count += 1) assert.equal(await peers.offer(location, principal, 'sse'), undefined);
    assert.deepEqual(
      outcomes,
      Array.from({ length: 6 }, () => 'unreachable'),
    );
    assert.equal(requests, 3);
    const busy = { ...location, session: 'busy' };
    await Promise.all(Array.from({ length: 4 }, () => peers.offer(busy, principal, 'sse')));
    await peers.offer(busy, principal, 'sse');
    await peers.offer(busy, principal, 'sse');
    assert.equal(requests, 9, 'offers at once count as one miss');
    await peers.offer(busy, principal, 'sse');
    assert.equal(requests, 9);
    const answering = await addressOf(
      t,
      createServer((_, response) => response.writeHead(409).end()),
    );
    assert.equal(await peers.offer({ ...location, session: 'other', address: answering }, principal, 'sse'), undefined);
    assert.equal(outcomes.at(-1), 'declined');
  });

  test(
    'of turns that then meet another node than was asked leave the turn to the node that the client has met',
    { skip: withoutRedis },
    async (t) => {
      const redis = await startRedis(t);
      const { nodes, emulator } = await startNodes(t, redis);
      const ports = new Map<boolean, number>();
      // A balancer, as the address of a node: offers happen to reach the node, and turns do not.
      const balancer = createTcpServer((socket) => {
        socket.once('data', (head: Buffer) => {
          const upstream = connect(ports.get(head.includes('/cluster/offer')) ?? 0, '127.0.0.1');
          upstream.write(head);
          socket.pipe(upstream).pipe(socket);
          upstream.on('error', () => socket.destroy());
          socket.on('error', () => upstream.destroy());
          socket.on('close', () => upstream.destroy());
        });
      });
      const owner = await startNode(t, emulator.url, redis, { cluster: { address: await addressOf(t, balancer) } });
      ports.set(true, owner.gateway.port);
      ports.set(false, nodes[1].gateway.port);
      await until(
        'the node has joined',
        async () => ((await redis.command('KEYS', 't1:n:*')) as string[]).length === 4,
      );
      for (const isWebSocket of [false, true]) {
        const talk = new Talk({ store: false, instructions: String(isWebSocket) });
        const before = (await redis.command('KEYS', 't1:{????????}r*')) as string[];
        await talk.say(owner, 'One.');
        await entries(redis, 't1:{????????}r*', before.length + 1);
        const input = [...talk.history, message('Two.')];
        if (isWebSocket) {
          const client = await TestSocket.open(nodes[0].gateway.url);
          t.after(() => client.socket.terminate());
          client.create({ store: false, instructions: 'true', input });
          assert.equal((await client.end()).type, 'response.completed');
        } else {
          const { status, plan } = await nodes[0].ask({ store: false, instructions: 'false', input });
          assert.deepEqual([status, plan], [200, 'full']);
        }
        const last = emulator.journal.turns().at(-1);
        assert.deepEqual([last?.plan, last?.outcome], ['full', 'completed']);
      }
      assert.equal(emulator.journal.turns().length, 4);
    },
  );
});
