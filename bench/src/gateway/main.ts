// `npm run bench:gateway`: the gateway beside a pass-through of node:http and peers, before a scripted upstream.
import { parseArgs } from 'node:util';
import { MeasuredServer } from '../server/measured-server.js';
import { ratio, rotated, summarize } from '../report/statistics.js';
import { clusterId, clusterTitle, measureCluster } from './cluster/cluster.js';
import { hasRedis } from './cluster/redis.js';
import { Load } from './load.js';
import { isInstalled } from './peers.js';
import { workloads } from './workloads.js';
import type { Rounds } from '../report/statistics.js';
import type { Kind, Setup, Usage } from './protocol.js';
import type { Goal, Server, Workload } from './workloads.js';

const usage = `npm run bench:gateway -- [options]

  --only WORDS       workloads, by their ids, with commas between them; default: all
  --rounds N         how often each server is measured; default: 5
  --cpu-prof FOLDER  a CPU profile of each server's process; costs some percent itself
  --check            end with status 1 if a goal is missed

workloads: ${ids().join(', ')}
@musistudio/llms and opencodex take part where "npm run check:peers" has installed them; opencodex on Linux.
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'cpu-prof': { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) process.stdout.write(usage);
else process.exitCode = await main(Number(options.rounds), options.only?.split(','));

async function main(rounds: number, only: readonly string[] | undefined): Promise<number> {
  const unknown = only?.find((word) => !ids().includes(word));
  if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(
      `bench:gateway: ${unknown === undefined ? '--rounds takes a whole number from 1' : `--only knows no "${unknown}": see --help`}\n`,
    );
    return 2;
  }
  process.stdout.write(`Node ${process.version}, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds\n`);
  let missed = 0;
  for (const workload of workloads)
    if (only === undefined || only.includes(workload.id)) missed += (await measure(workload, rounds)) ? 0 : 1;
  if (only === undefined || only.includes(clusterId)) missed += (await cluster(rounds)) ? 0 : 1;
  return options.check && missed > 0 ? 1 : 0;
}

/** Measures the cluster. True where its goals are reached, and where no Redis is installed. */
async function cluster(rounds: number): Promise<boolean> {
  process.stdout.write(`\n${clusterTitle} (${clusterId})\n\n`);
  if (hasRedis()) return measureCluster(rounds, start, (text) => void process.stdout.write(`${text}\n`));
  process.stdout.write('redis-server is not installed: not measured\n');
  return true;
}

function ids(): string[] {
  return [...workloads.map(({ id }) => id), clusterId];
}

interface Row {
  readonly kind: Kind;
  readonly values: (number | undefined)[];
  server?: Server;
  load?: Load;
}

/** Measures a workload. True where its goal is reached. */
async function measure(workload: Workload, rounds: number): Promise<boolean> {
  const upstream = await start({ kind: 'upstream', upstream: '' });
  const direct = new Load(upstream.url);
  const rows: Row[] = workload.rows.filter(isThere).map((kind) => ({ kind, values: [] }));
  let number = 0;
  try {
    for (let round = 0; round < rounds; round += 1)
      for (const row of rotated(rows, round)) {
        const { server, load } = await running(workload, row, upstream.url);
        number += 1;
        row.values.push(await workload.measure(load, { server, upstream, direct, number }));
        if (workload.fresh === true) await stop(row);
      }
  } finally {
    for (const row of rows) await stop(row);
    direct.close();
    await upstream.stop();
  }
  const { text, reached } = table(workload, rows);
  process.stdout.write(`\n${workload.title} (${workload.id})\n\n${text}\n`);
  return reached;
}

async function running(workload: Workload, row: Row, upstream: string): Promise<{ server: Server; load: Load }> {
  if (row.server !== undefined && row.load !== undefined) return { server: row.server, load: row.load };
  const server = (row.server = await start({ kind: row.kind, upstream }));
  const load = (row.load = new Load(server.url));
  await workload.warmUp?.(load);
  return { server, load };
}

async function stop(row: Row): Promise<void> {
  row.load?.close();
  await row.server?.stop();
  delete row.load;
  delete row.server;
}

function start(setup: Setup): Promise<Server> {
  const { kind } = setup;
  const folder = options['cpu-prof'];
  const profile =
    folder === undefined || kind === 'upstream'
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${folder}/${kind}${setup.redis === undefined ? '' : '-cluster'}`];
  const file = new URL('./server-process.js', import.meta.url);
  return MeasuredServer.start<Usage>(file, setup, profile);
}

function isThere(kind: Kind): boolean {
  return (kind !== 'llms' && kind !== 'opencodex') || isInstalled(kind);
}

function table({ unit, goals }: Workload, rows: readonly Row[]): { text: string; reached: boolean } {
  const valuesOf = (wanted: Kind): Rounds => rows.find(({ kind }) => kind === wanted)?.values ?? [];
  let reached = true;
  const lines = rows.map(({ kind, values }) => {
    const own = summarize(values);
    const compared = ratio(values, valuesOf('pass-through'));
    const goal = goals[kind];
    if (goal !== undefined && !isReached(goal, values, valuesOf)) reached = false;
    return `| ${[
      kind,
      own === undefined ? '–' : `${shown(own.median)} (${shown(own.min)}–${shown(own.max)})`,
      compared === undefined ? '–' : `${compared.median.toFixed(2)} ×`,
      goal === undefined ? '' : inWords(goal),
    ].join(' | ')} |`;
  });
  const head = [`| server | ${unit} | ÷ pass-through | wanted |`, '| --- | --- | --- | --- |'];
  return { text: [...head, ...lines].join('\n'), reached };
}

function isReached(goal: Goal, values: Rounds, valuesOf: (kind: Kind) => Rounds): boolean {
  const value = summarize(values)?.median ?? NaN;
  if ('times' in goal) return (ratio(values, valuesOf(goal.times))?.median ?? NaN) <= goal.most;
  if ('beyond' in goal) return value - (summarize(valuesOf(goal.beyond))?.median ?? NaN) <= goal.most;
  return value <= goal.most;
}

function inWords(goal: Goal): string {
  if ('times' in goal) return `≤ ${goal.most} × ${goal.times}`;
  return 'beyond' in goal ? `≤ ${goal.most} more than ${goal.beyond}` : `≤ ${goal.most}`;
}

function shown(value: number): string {
  return value.toPrecision(3);
}
