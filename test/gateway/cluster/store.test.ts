import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { connectRedis } from '../../../packages/gateway/dist/cluster/redis/connection.js';
import { scriptOf } from '../../../packages/gateway/dist/cluster/redis/script.js';
import { MalformedReply, RedisStore } from '../../../packages/gateway/dist/cluster/redis/redis-store.js';
import { createTestAuthority } from 'turnwire/emulator';
import { until } from './nodes.js';
import { startProxy, startRedis, startWatched, withoutRedis, uncounted } from './redis.js';
import type { AddressInfo } from 'node:net';
import type { RedisOptions, RedisPlace } from '../../../packages/gateway/dist/cluster/redis/connection.js';
import type { Ending } from './redis.js';

/** No time that is measured here is shorter than the deadline of a command times this, on a machine that is busy. */
const patience = 10;

function open(
  t: Ending,
  place: RedisPlace | string,
  deadlineMs = 50,
  user: Pick<RedisOptions, 'username' | 'password'> = {},
) {
  const warnings: string[] = [];
  const given: RedisPlace = typeof place === 'string' ? { name: 'server', url: place } : place;
  const store = new RedisStore({
    connect: () => connectRedis({ place: given, ...user }),
    onWarning: (message) => warnings.push(message),
    deadlineMs,
    counters: uncounted,
  });
  t.after(() => store.close());
  return { store, warnings };
}

function text(reply: unknown): string | null {
  if (reply !== null && typeof reply !== 'string') throw new MalformedReply(reply);
  return reply;
}

/** Asks until the store answers. */
async function answering(store: RedisStore, ms = 15_000): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    if ((await store.command(['PING'], text)) === 'PONG') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('the store does not answer');
}

/** Three misses, and how long they took together. */
async function missed(store: RedisStore): Promise<number> {
  const from = performance.now();
  for (let count = 0; count < 3; count += 1) assert.equal(await store.command(['GET', 'a'], text), undefined);
  return performance.now() - from;
}

describe('Redis store', { skip: withoutRedis }, () => {
  test('runs commands, and a script that the server does not have yet', async (t) => {
    const { url } = await startRedis(t);
    const { store, warnings } = open(t, url, 500);
    await answering(store);
    assert.equal(await store.command(['SET', 'a', '1'], text), 'OK');
    const script = scriptOf("return redis.call('GET', KEYS[1]) .. ARGV[1]");
    assert.equal(await store.run(script, ['a'], [2], text), '12');
    assert.equal(await store.run(script, ['a'], [3], text), '13');
    assert.deepEqual(warnings, []);
  });

  test('waits its deadline three times for a stopped server, then does not wait until the server is back', async (t) => {
    const redis = await startRedis(t);
    const { store, warnings } = open(t, redis.url);
    await answering(store);
    redis.pause();
    t.after(() => redis.resume());
    assert(Math.round(await missed(store)) >= 3 * 49);
    assert.equal(store.isUnavailable, true);
    const from = performance.now();
    for (let count = 0; count < 1000; count += 1) assert.equal(await store.command(['GET', 'a'], text), undefined);
    assert(performance.now() - from < 50 * patience, 'a thousand questions without an answer cost no deadline');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /Redis is away \(no answer within 50 ms\): turns go on with what this node knows/);
    redis.resume();
    await answering(store);
    assert.equal(warnings.length, 2);
    assert.match(warnings[1] ?? '', /Redis is back/);
  });

  test('gives up a slow command, and its late answer is taken for no other command’s', async (t) => {
    const redis = await startRedis(t);
    const { store } = open(t, redis.url);
    await answering(store);
    await store.command(['SET', 'a', 'of a'], text);
    assert.equal(await store.command(['DEBUG', 'SLEEP', '0.2'], text), undefined);
    assert.equal(store.isUnavailable, false);
    await redis.command('PING');
    assert.equal(await store.command(['GET', 'a'], text), 'of a');
    await redis.command('CLIENT', 'PAUSE', '150', 'ALL');
    assert.equal(await store.command(['GET', 'a'], text), undefined);
  });

  test('notices a killed server at once, and finds one that is started again', async (t) => {
    const redis = await startRedis(t);
    const { store, warnings } = open(t, redis.url);
    await answering(store);
    await redis.kill();
    await missed(store);
    assert.equal(store.isUnavailable, true);
    await redis.start();
    await answering(store);
    assert.equal(warnings.length, 2);
  });

  test('reads from a full server, and warns once that the server is full', async (t) => {
    const redis = await startRedis(t, ['maxmemory 1', 'maxmemory-policy noeviction']);
    const { store, warnings } = open(t, redis.url, 500);
    await answering(store);
    for (let count = 0; count < 5; count += 1) assert.equal(await store.command(['SET', 'a', '1'], text), undefined);
    assert.equal(await store.command(['GET', 'a'], text), null);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /Redis is full/);
  });

  test('stays away from a server that is slower than the deadline, and says so once', async (t) => {
    const redis = await startRedis(t);
    const proxy = await startProxy(t, redis);
    const { store, warnings } = open(t, proxy.url, 100);
    await answering(store);
    proxy.delay(200);
    await missed(store);
    proxy.take();
    await until('three probes', () => proxy.take().split('t1:probe').length > 1, 20_000);
    await until('another probe', () => proxy.take().split('t1:probe').length > 1, 20_000);
    await until('one more probe', () => proxy.take().split('t1:probe').length > 1, 20_000);
    assert.equal(store.isUnavailable, true);
    assert.equal(warnings.length, 1);
    proxy.delay(0);
    await answering(store);
    assert.equal(warnings.length, 2);
  });

  test('leaves a replica alone from its first refusal until it is the master', async (t) => {
    const master = await startRedis(t);
    const replica = await startRedis(t, [`replicaof 127.0.0.1 ${master.port}`]);
    const { store, warnings } = open(t, replica.url, 500);
    await answering(store);
    assert.equal(await store.command(['SET', 'a', '1'], text), undefined);
    assert.equal(store.isUnavailable, true);
    assert.match(warnings.join(), /^turnwire: Redis is away \(READONLY .*replica.*\): turns go on/);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await answering(store);
    assert.equal(await store.command(['SET', 'a', '1'], text), 'OK');
    assert.equal(warnings.length, 2);
  });

  test('says once which command a user of Redis may not send, and goes on with the others', async (t) => {
    const redis = await startRedis(t);
    await redis.command('ACL', 'SETUSER', 'few', 'on', '>secret', '~*', '+ping', '+get', '+eval', '+evalsha');
    const { store, warnings } = open(t, redis.url, 500, { username: 'few', password: 'secret' });
    await answering(store);
    const write = scriptOf("return redis.call('SET', KEYS[1], '1')");
    for (let count = 0; count < 4; count += 1) {
      assert.equal(await store.command(['SET', 'a', '1'], text), undefined);
      assert.equal(await store.run(write, ['a'], [], text), undefined);
    }
    assert.equal(await store.command(['GET', 'a'], text), null);
    assert.equal(store.isUnavailable, false);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /Redis refuses commands of this gateway.*NOPERM .*'set'/);
  });

  test('says what keeps it from connecting: a wrong password, a certificate that nobody has signed, a name, a port', async (t) => {
    const redis = await startRedis(t);
    const { cert, key } = (await createTestAuthority()).issue({ hosts: ['localhost'] });
    const untrusted = createTlsServer({ cert, key }).listen(0);
    await once(untrusted, 'listening');
    t.after(() => untrusted.close());
    const reasons: [url: string, reason: RegExp][] = [
      [redis.url, /WRONGPASS/],
      [`rediss://localhost:${(untrusted.address() as AddressInfo).port}`, /certificate/],
      ['redis://no-such-host.invalid:6379', /ENOTFOUND|EAI_AGAIN/],
      ['redis://127.0.0.1:1', /ECONNREFUSED/],
    ];
    for (const [url, reason] of reasons) {
      const { store, warnings } = open(t, url, 500, { username: 'nobody', password: 'wrong' });
      await until('Redis is away', async () => {
        await store.command(['GET', 'a'], text);
        return store.isUnavailable;
      });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', reason);
    }
  });

  test('with Sentinel continues with the new master after a failover', async (t) => {
    const { master, replica, node } = await startWatched(t);
    const place: RedisPlace = { name: 'sentinel', master: 'main', nodes: [node], tls: false };
    const { store } = open(t, place, 500);
    await answering(store);
    assert.equal(await store.command(['SET', 'a', '1'], text), 'OK');
    await master.kill();
    const until = performance.now() + 25_000;
    let written: string | null | undefined;
    while (written !== 'OK' && performance.now() < until) {
      written = await store.command(['SET', 'b', '2'], text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(written, 'OK');
    assert.equal(await replica.command('GET', 'b'), '2');
  });
});

describe('store: a write that nobody waits for', () => {
  /** A server that answers each command with OK, and keeps what it reads. */
  async function listening(t: Ending): Promise<{ url: string; chunks: string[] }> {
    const chunks: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const text = data.toString();
        if (text.includes('held')) chunks.push(text);
        socket.write('+OK\r\n'.repeat(text.split('*').length - 1));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, chunks };
  }

  async function connected(t: Ending) {
    const { url, chunks } = await listening(t);
    const { store } = open(t, url, 5000);
    while ((await store.command(['PING'], text)) !== 'OK') await new Promise((resolve) => setTimeout(resolve, 20));
    return { store, chunks };
  }

  test('is sent in one piece with the next command, and before that command', async (t) => {
    const { store, chunks } = await connected(t);
    const written = [
      store.command(['SET', 'held-1', '1'], text, 'soon'),
      store.command(['SET', 'held-2', '1'], text, 'soon'),
      store.command(['GET', 'held-3'], text),
    ];
    assert.deepEqual(await Promise.all(written), ['OK', 'OK', 'OK']);
    assert.equal(chunks.length, 1);
    assert.deepEqual(chunks[0]?.match(/held-\d/g), ['held-1', 'held-2', 'held-3']);
  });

  test('is sent alone where no command follows', async (t) => {
    const { store, chunks } = await connected(t);
    assert.equal(await store.command(['SET', 'held-1', '1'], text, 'soon'), 'OK');
    assert.equal(chunks.length, 1);
  });

  test('is sent at once where commands are rare', async (t) => {
    const { store, chunks } = await connected(t);
    await new Promise((resolve) => setTimeout(resolve, 60));
    // With no timer of the store, what it holds back is never sent.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    assert.equal(await store.command(['SET', 'held-1', '1'], text, 'soon'), 'OK');
    assert.equal(chunks.length, 1);
  });

  test('is not kept back when there are many, and is given up with the store', async (t) => {
    const { store, chunks } = await connected(t);
    const many = Array.from({ length: 101 }, (_, index) => store.command(['SET', `held-${index}`, '1'], text, 'soon'));
    // The last one has sent them all, before any time has passed.
    const last = store.command(['SET', 'held-last', '1'], text, 'soon');
    store.close();
    assert.equal(await last, undefined);
    assert.equal((await Promise.all(many)).length, 101);
    assert(chunks.every((chunk) => !chunk.includes('held-last')));
  });
});

describe('store: a server that answers nonsense', () => {
  for (const [name, said] of [
    ['another kind of answer', ':12\r\n'],
    ['an error', '-ERR unknown command\r\n'],
    ['no RESP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['answers that nobody asked for', '+A\r\n+B\r\n+C\r\n'],
    ['half an answer', '$100\r\nabc'],
  ] as const)
    test(`${name}: counts as a miss`, async (t) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.write(said));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const { store, warnings } = open(t, `redis://127.0.0.1:${port}`);
      for (let count = 0; count < 1000 && !store.isUnavailable; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(
          await store.command(['GET', 'a'], (reply) => {
            if (reply !== null) throw new MalformedReply(reply);
            return reply;
          }),
          undefined,
        );
      }
      assert.equal(store.isUnavailable, true);
      assert.equal(warnings.length, 1);
    });
});
