// Chaos over several gateways, for as long as you like:
//
//   npm run soak -- cluster --turns 20000
//   npm run soak -- cluster --fault-every 0 --pace-ms 50      what it costs; nothing breaks
import { parseArgs } from 'node:util';
import { Shared, startRedis, startWatched } from '../redis.js';
import { chaos } from './chaos.js';
import type { Watched } from '../redis.js';
import type { ChaosOptions } from './chaos.js';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '2000' },
    conversations: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    'fault-every': { type: 'string', default: '200' },
    'pace-ms': { type: 'string' },
    'deadline-ms': { type: 'string' },
    store: { type: 'string' },
    only: { type: 'string' },
  },
});
const [turns, conversations, seed, faultEvery] = [
  values.turns,
  values.conversations,
  values.seed,
  values['fault-every'],
].map(Number) as [number, number, number, number];

type Row = Pick<ChaosOptions, 'routing' | 'nodes'> & { name: string; store?: 'server' | 'sentinel' };
const rows: readonly Row[] = [
  { name: 'one node', routing: 'hash', nodes: 1 },
  { name: 'hash, three nodes', routing: 'hash', store: 'server' },
  { name: 'round robin with Redis', routing: 'round robin', store: 'server' },
  { name: 'round robin with Sentinel', routing: 'round robin', store: 'sentinel' },
  { name: 'round robin without', routing: 'round robin' },
];
let wrong = 0;
for (const { name, store, ...row } of rows) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const shared = new Shared();
  try {
    const redis = store === 'server' ? await startRedis(shared, [], { hasClock: true }) : undefined;
    const watched = store === 'sentinel' ? await startWatched(shared) : undefined;
    // One node is the measure of the others, and nothing of it breaks.
    const isMeasure = row.nodes === 1;
    const result = await chaos(shared, {
      ...row,
      redis,
      ...(watched && { cluster: sentinelAt(watched), failOver: () => watched.failOver() }),
      turns,
      ...(values['pace-ms'] !== undefined && { paceMs: Number(values['pace-ms']) }),
      ...(values['deadline-ms'] !== undefined && { deadlineMs: Number(values['deadline-ms']) }),
      ...(values.store !== undefined && { store: values.store === 'true' }),
      conversations,
      seed,
      faultEvery: isMeasure ? 0 : faultEvery,
    });
    const { lost, doubled, mixedUp, othersTurns, deltaShare, bytes, seconds, askedAgain, msMost, faults } = result;
    wrong += lost + doubled + mixedUp + othersTurns;
    console.log(
      `${name}: ${result.turns} turns, ${result.overWebSockets} over WebSockets, in ${Math.round(seconds)} s: lost ${lost}, doubled ${doubled}, mixed up ${mixedUp}, another tenant's ${othersTurns}; ` +
        `deltas ${Math.round(100 * deltaShare)} %, ${Math.round(bytes / 1024)} KiB upstream, asked again ${askedAgain}, slowest ${Math.round(msMost)} ms`,
    );
    if (result.cpuMs !== undefined) console.log(`  CPU of the gateways: ${result.cpuMs.toFixed(2)} ms a turn`);
    if (result.commands !== undefined) console.log(`  commands to Redis: ${result.commands.toFixed(2)} a turn`);
    for (const [fault, count] of Object.entries(faults)) console.log(`  ${fault}: ${count}`);
  } finally {
    await shared.end();
  }
}
process.exitCode = wrong === 0 ? 0 : 1;

function sentinelAt({ node: { host, port } }: Watched): object {
  return { sentinel: { master: 'main', nodes: [`${host}:${port}`], tls: false } };
}
