import { setTimeout as wait } from 'node:timers/promises';
import { ratio, rotated, summarize } from '../../report/statistics.js';
import { Conversation, Load } from '../load.js';
import { Redis } from './redis.js';
import type { Rounds } from '../../report/statistics.js';
import type { Setup } from '../protocol.js';
import type { Server } from '../workloads.js';

export const clusterId = 'cluster';
export const clusterTitle = 'Three nodes beside one: 4 paced loops a node, whole histories, 20 kB more each turn';

/** A number of nodes, and the way in which turns are distributed to them. */
interface Topology {
  readonly name: string;
  readonly nodes: number;
  /** The number of loops that run at once: four for each node, so that a node has as much to do in every row, but for one. */
  readonly loops: number;
  readonly sharesRedis: boolean;
  /** The node for a turn of a conversation, as a whole number modulo `nodes`. */
  node(conversation: number, turn: number): number;
}

const hash = (conversation: number): number => conversation;
const roundRobin = (conversation: number, turn: number): number => conversation + turn;

const topologies: readonly Topology[] = [
  { name: 'one node, 4 loops', nodes: 1, loops: 4, sharesRedis: false, node: hash },
  { name: 'one node, 12 loops', nodes: 1, loops: 12, sharesRedis: false, node: hash },
  { name: 'three, hash', nodes: 3, loops: 12, sharesRedis: false, node: hash },
  { name: 'three, hash, Redis', nodes: 3, loops: 12, sharesRedis: true, node: hash },
  { name: 'three, round robin', nodes: 3, loops: 12, sharesRedis: false, node: roundRobin },
  { name: 'three, round robin, Redis', nodes: 3, loops: 12, sharesRedis: true, node: roundRobin },
];

const turnCount = 24;
const addedBytes = 20_000;
/** The time that a loop waits for its tool, in milliseconds. */
const restMs = 30;
/** The turns that a node must have carried before it is measured: until then its code is being compiled. */
const warmUpTurns = 3000;

interface Measured {
  cpuMs: number;
  upstreamBytes: number;
  reads: number;
}

interface Running {
  readonly topology: Topology;
  readonly redis: Redis | undefined;
  readonly nodes: readonly Server[];
  readonly loads: readonly Load[];
  readonly rounds: Measured[];
}

/** The goals of three nodes behind round robin with Redis, compared with one node that has as much to do as each of them. */
const goals = { upstreamBytes: 1.15, cpuMs: 1.15, reads: 1, entryBytes: 200 };

/** True where the goals are reached. */
export async function measureCluster(
  rounds: number,
  start: (setup: Setup) => Promise<Server>,
  write: (text: string) => void,
): Promise<boolean> {
  const upstream = await start({ kind: 'upstream', upstream: '' });
  const running: Running[] = [];
  try {
    for (const topology of topologies) running.push(await started(topology, upstream, start));
    for (let round = 0; round < rounds; round += 1)
      for (const one of rotated(running, round)) one.rounds.push(await measure(one, upstream, round));
    const entryBytes = (await running.find(isRoundRobin)?.redis?.entryBytes()) ?? NaN;
    const { text, reached } = table(running, entryBytes);
    write(text);
    return reached;
  } finally {
    for (const { loads, nodes, redis } of running) {
      for (const load of loads) load.close();
      await Promise.all(nodes.map((node) => node.stop()));
      await redis?.stop();
    }
    await upstream.stop();
  }
}

async function started(
  topology: Topology,
  upstream: Server,
  start: (setup: Setup) => Promise<Server>,
): Promise<Running> {
  const redis = topology.sharesRedis ? await Redis.start() : undefined;
  const setup: Setup = { kind: 'gateway', upstream: upstream.url, ...(redis && { redis: redis.url }) };
  const nodes = await Promise.all(Array.from({ length: topology.nodes }, () => start(setup)));
  const running = { topology, redis, nodes, loads: nodes.map(({ url }) => new Load(url)), rounds: [] };
  const turns = topology.loops * turnCount;
  for (let had = 0; had < warmUpTurns * nodes.length; had += turns) await converse(running, -1 - had, 0);
  return running;
}

async function measure(running: Running, upstream: Server, round: number): Promise<Measured> {
  const used = async (): Promise<Measured> => {
    const usages = await Promise.all(running.nodes.map((node) => node.usage()));
    return {
      cpuMs: usages.reduce((sum, { cpuUs }) => sum + cpuUs / 1000, 0),
      upstreamBytes: (await upstream.usage()).receivedBytes,
      reads: (await running.redis?.reads()) ?? 0,
    };
  };
  const before = await used();
  await converse(running, round, restMs);
  const after = await used();
  const turns = running.topology.loops * turnCount;
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / turns,
    upstreamBytes: (after.upstreamBytes - before.upstreamBytes) / turns,
    reads: (after.reads - before.reads) / turns,
  };
}

/** @param round a number that differs in each round, so that no history is known from an earlier one */
async function converse({ topology, loads }: Running, round: number, rest: number): Promise<void> {
  const loop = async (number: number): Promise<void> => {
    let turn = 0;
    const next = {
      turn: (body: Buffer) => {
        const load = loads[topology.node(number, turn) % loads.length];
        if (load === undefined) throw new Error('no node');
        return load.turn(body);
      },
    };
    const chat = new Conversation(next, `${round}.${number}`, 0, 'any');
    for (; turn < turnCount; turn += 1) {
      await chat.turn(addedBytes);
      if (rest > 0) await wait(rest);
    }
  };
  await Promise.all(Array.from({ length: topology.loops }, (_, number) => loop(number)));
}

function isRoundRobin({ topology }: Running): boolean {
  return topology.sharesRedis && topology.node(0, 1) !== topology.node(0, 0);
}

function table(running: readonly Running[], entryBytes: number): { text: string; reached: boolean } {
  const [alone, aloneWithAll] = running;
  const values = ({ rounds }: Running, name: keyof Measured): Rounds => rounds.map((round) => round[name]);
  const times = (one: Running, other: Running | undefined, name: keyof Measured): number =>
    other === undefined ? NaN : (ratio(values(one, name), values(other, name))?.median ?? NaN);
  let reached = true;
  const lines = running.map((one) => {
    const cpu = summarize(values(one, 'cpuMs'));
    const [bytesTimes, cpuTimes] = [times(one, alone, 'upstreamBytes'), times(one, alone, 'cpuMs')];
    const reads = summarize(values(one, 'reads'))?.median ?? NaN;
    const isGoal = isRoundRobin(one);
    if (isGoal)
      reached =
        bytesTimes <= goals.upstreamBytes &&
        cpuTimes <= goals.cpuMs &&
        reads <= goals.reads &&
        entryBytes <= goals.entryBytes;
    return `| ${[
      one.topology.name,
      `${bytesTimes.toFixed(2)} ×`,
      cpu === undefined ? '–' : `${cpu.median.toFixed(2)} (${cpu.min.toFixed(2)}–${cpu.max.toFixed(2)})`,
      `${cpuTimes.toFixed(2)} ×`,
      `${times(one, aloneWithAll, 'cpuMs').toFixed(2)} ×`,
      one.redis === undefined ? '–' : reads.toFixed(2),
      isGoal ? entryBytes.toFixed(0) : '–',
    ].join(' | ')} |`;
  });
  const head = [
    '| | bytes upstream ÷ one node | CPU a turn of all nodes, ms | ÷ one, 4 loops | ÷ one, 12 loops | round trips to Redis a turn | bytes an entry |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  const goal = `| wanted, round robin with Redis | ≤ ${goals.upstreamBytes} × | | ≤ ${goals.cpuMs} × | | ≤ ${goals.reads} | ≤ ${goals.entryBytes} |`;
  return { text: [...head, ...lines, goal].join('\n'), reached };
}
