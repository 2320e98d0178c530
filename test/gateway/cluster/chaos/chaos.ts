import { setTimeout as wait } from 'node:timers/promises';
import { runConversations } from './conversations.js';
import { startProcesses } from './node-processes.js';
import { startUpstream } from './upstream.js';
import type { Ending, RedisProcess } from '../redis.js';
import type { Tally } from './conversations.js';
import type { NodeProcess } from './node-processes.js';

/** How a balancer chooses: by the conversation, or each turn the next node. */
export type Routing = 'hash' | 'round robin';

export interface ChaosOptions {
  routing: Routing;
  /** Is paused and started anew. Without it, and without `cluster`, each node is alone. */
  redis: RedisProcess | undefined;
  /** In place of the address of `redis`: where Sentinel is. */
  cluster?: object | undefined;
  nodes?: number;
  turns: number;
  conversations: number;
  concurrency?: number;
  /** Something breaks after every so many turns; 0: nothing does. */
  faultEvery: number;
  /** Fails over to the replica, where there is one. */
  failOver?: (() => Promise<void>) | undefined;
  seed: number;
  /** Between two turns of one of those at once; in milliseconds. */
  paceMs?: number | undefined;
  store?: boolean | undefined;
  deadlineMs?: number | undefined;
}

export interface ChaosResult extends Tally {
  /** Of all creates that the upstream has read. */
  deltaShare: number;
  bytes: number;
  faults: Readonly<Record<string, number>>;
  seconds: number;
  /** Of all gateways, for a turn; only of a run in which none was started anew. */
  cpuMs: number | undefined;
  /** Commands to Redis, for a turn. */
  commands: number | undefined;
}

/** Turns of many conversations over several gateways, while these and their Redis break. */
export async function chaos(t: Ending, options: ChaosOptions): Promise<ChaosResult> {
  const { routing, redis, nodes: count = 3, turns, conversations, concurrency = 12, faultEvery, failOver } = options;
  const random = dice(options.seed);
  const upstream = await startUpstream(t);
  const { deadlineMs: deadline_ms = 50 } = options;
  const place = options.cluster ?? (redis && { redis: redis.url });
  const cluster = place && { ...place, deadline_ms };
  const nodes = await startProcesses(t, count, upstream.url, cluster);
  const down = new Set<number>();
  const faults: Record<string, number> = {};
  let next = 0;
  const route = (conversation: number): string => {
    // As a balancer does, which sees at once that nobody listens.
    const up = nodes.filter((_, index) => !down.has(index));
    next += 1;
    const index = (routing === 'hash' ? conversation : next) % up.length;
    return (up[index] ?? nodes[0])?.url ?? '';
  };
  /** A node that ends while a turn is on its way to it. */
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const index = Math.floor(random() * nodes.length);
    const node = nodes[index];
    if (node === undefined || down.size > 0) return;
    if (signal === 'SIGTERM') down.add(index);
    await node.end(signal);
    down.add(index);
    await node.start();
    down.delete(index);
  };
  const kinds: Record<string, () => unknown> = {
    'kill -9 of a node': () => end('SIGKILL'),
    'deploy of a node': () => end('SIGTERM'),
    'a clock that jumps': () => nodes[Math.floor(random() * nodes.length)]?.jump((random() - 0.5) * 7_200_000),
    ...(redis && {
      'pause of Redis': async () => {
        redis.pause();
        await wait(100 + random() * 900);
        redis.resume();
      },
      'restart of Redis': async () => {
        await redis.kill();
        await redis.start();
      },
      ...(redis.jumpTo && { 'a clock of Redis that jumps': () => redis.jumpTo?.((random() - 0.5) * 14_400) }),
    }),
    ...(failOver && { 'fail-over of Redis': failOver }),
  };
  const names = Object.keys(kinds);
  let isBreaking: Promise<unknown> = Promise.resolve();
  let broken = 0;
  const commandsBefore = redis && (await commandsOf(redis));
  let cpuBefore = Promise.resolve(0);
  const from = performance.now();
  const tally = await runConversations({
    upstream,
    turns,
    conversations,
    concurrency,
    route,
    random,
    paceMs: options.paceMs,
    store: options.store,
    onTurn: (turn) => {
      // Programs that have just begun use more.
      if (turn === Math.floor(turns / 3)) cpuBefore = cpuOf(nodes);
      if (faultEvery === 0 || turn % faultEvery !== 0) return;
      const name = names[broken % names.length] ?? '';
      broken += 1;
      faults[name] = (faults[name] ?? 0) + 1;
      isBreaking = isBreaking.then(() => kinds[name]?.());
    },
  });
  await isBreaking;
  const { creates, deltas, bytes } = upstream.counts;
  const cpuMs = faultEvery === 0 ? (await cpuOf(nodes)) - (await cpuBefore) : undefined;
  const commands = faultEvery === 0 && redis ? (await commandsOf(redis)) - (commandsBefore ?? 0) : undefined;
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  return {
    ...tally,
    deltaShare: deltas / creates,
    bytes,
    faults,
    seconds: (performance.now() - from) / 1000,
    cpuMs: cpuMs && cpuMs / (turns - Math.floor(turns / 3)),
    commands: commands && commands / turns,
  };
}

async function cpuOf(nodes: readonly NodeProcess[]): Promise<number> {
  const used = await Promise.all(nodes.map((node) => node.cpuMs()));
  return used.reduce((sum, one) => sum + one, 0);
}

async function commandsOf(redis: RedisProcess): Promise<number> {
  const [, count = '0'] = /total_commands_processed:(\d+)/.exec(String(await redis.command('INFO', 'stats'))) ?? [];
  return Number(count);
}

/** Numbers from 0 up to 1, the same for the same seed: mulberry32. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
