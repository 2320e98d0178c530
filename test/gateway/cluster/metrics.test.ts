// What /metrics tells of a cluster, and the table of docs/cluster.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Talk, entries, joined, startNodes, until } from './nodes.js';
import { startRedis, withoutRedis } from './redis.js';
import type { Node } from './nodes.js';

type Samples = ReadonlyMap<string, number>;

/** Counters of the cluster by what stands for them in the page: `lookups stored`. */
async function countsOf({ gateway }: Node): Promise<Samples> {
  const text = await (await fetch(new URL('/metrics', gateway.url))).text();
  const lines = text.matchAll(/^turnwire_cluster_(\w+)_total\{outcome="(\w+)"\} (\d+)$/gm);
  return new Map(Array.from(lines, ([, name, outcome, value]) => [`${name} ${outcome}`, Number(value)]));
}

async function counted(node: Node, sample: string, least = 1): Promise<void> {
  await until(`${sample} is ${least}`, async () => ((await countsOf(node)).get(sample) ?? 0) >= least);
}

/** The rows of the page: metric, outcomes. */
function documented(): Set<string> {
  const page = readFileSync(new URL('../../../docs/cluster.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| `turnwire_cluster_(\w+)_total` \| `(\w+)` \|/gm);
  return new Set(Array.from(rows, ([, name, outcome]) => `${name} ${outcome}`));
}

describe('cluster: metrics', { skip: withoutRedis }, () => {
  test('count look-ups, offers, leases and Redis, with the outcomes that docs/cluster.md lists', async (t) => {
    const redis = await startRedis(t);
    const faults = [{ on: { turn: 4 }, do: 'forget' }];
    const { nodes } = await startNodes(t, redis, { cluster: { deadline_ms: 500 } }, { faults });
    await joined(redis, ...nodes);
    const [first, second] = nodes;
    const all: Samples[] = [];
    assert.equal((await countsOf(first)).get('sessions begun'), 1);

    const bound = new Talk({ store: false });
    await bound.say(first, 'One.');
    assert.equal((await countsOf(first)).get('lookups here'), 1);
    await counted(first, 'leases begun');
    await bound.say(second, 'Two.');
    assert.equal((await countsOf(second)).get('lookups node'), 1);
    assert.equal((await countsOf(second)).get('offers taken'), 1);
    await counted(first, 'leases moved');

    const stored = new Talk();
    await stored.say(first, 'One.');
    await entries(redis, 't1:{????????}c*', 1);
    // The upstream has lost it.
    await stored.say(second, 'Two.');
    assert.equal((await countsOf(second)).get('lookups stored'), 1);
    await counted(second, 'lookups stale');
    const seconds = await (await fetch(new URL('/metrics', second.gateway.url))).text();
    assert.match(seconds, /^turnwire_cluster_redis_seconds_bucket\{le="\+Inf"\} [1-9]/m);

    await redis.kill();
    await counted(second, 'redis_breaker opened');
    await new Talk({ instructions: 'Alone.' }).say(second, 'One.');
    const foreign = new Talk({ instructions: 'Foreign.' });
    foreign.history.push(...stored.history);
    await foreign.say(second, 'Two.');
    await counted(second, 'lookups unanswered');
    await counted(second, 'redis_commands not_asked');
    await redis.start();
    await counted(second, 'redis_breaker closed');
    await counted(second, 'sessions lapsed');

    for (const node of nodes) all.push(await countsOf(node));
    const page = documented();
    assert(page.size > 20);
    for (const sample of all.flatMap((one) => [...one.keys()])) assert(page.has(sample), `${sample} is in the page`);
  });
});
