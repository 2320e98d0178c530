// `npm run bench:emulator`: the emulator beside an older build of it, aimock and plain node:http.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MeasuredServer } from '../server/measured-server.js';
import { installPeers } from '../client/peers.js';
import { ratio, rotated, summarize, type Rounds } from '../report/statistics.js';
import type { Kind, Setup, Usage } from './protocol.js';
import { workloads, type Workload } from './workloads.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const usage = `npm run bench:emulator -- [options]

  --against FOLDER  a checkout of another commit, built: its emulator is measured beside this one, and judged
  --only WORDS      workloads, by their ids, with commas between them; default: all
  --rounds N        how often each is measured; default: 5
  --cpu-prof FOLDER a CPU profile of each server's process

workloads: ${workloads.map(({ id }) => id).join(', ')}
`;

interface Row {
  readonly name: string;
  readonly kind: Kind;
  readonly module?: string;
  readonly values: Map<string, (number | undefined)[]>;
}

const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'cpu-prof': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  installPeers(join(root, 'bench'), (line) => process.stderr.write(`${line}\n`));
  const chosen = options.only?.split(',') ?? workloads.map(({ id }) => id);
  process.stdout.write(`Node ${process.version}, ${new Date().toISOString().slice(0, 10)}, ${options.rounds} rounds\n`);
  for (const workload of workloads.filter(({ id }) => chosen.includes(id)))
    await measure(workload, Number(options.rounds));
}

function rowsFor({ kinds }: Workload): Row[] {
  const rows: Row[] = [{ name: 'this', kind: 'turnwire', module: emulatorOf(root), values: new Map() }];
  if (options.against !== undefined)
    rows.push({ name: 'other', kind: 'turnwire', module: emulatorOf(resolve(options.against)), values: new Map() });
  rows.push(
    { name: 'aimock', kind: 'aimock', values: new Map() },
    { name: 'node:http', kind: 'floor', values: new Map() },
  );
  return rows.filter(({ kind }) => kinds.includes(kind));
}

/** The emulator of a checkout: its package, or, in older commits, a folder of the tools. */
function emulatorOf(checkout: string): string {
  const places = ['packages/emulator/bundle/index.js', 'packages/turnwire/dist/emulator/index.js'];
  const found = places.map((place) => join(checkout, place)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${checkout} has no emulator that is built: run "npm run build" there`);
  return found;
}

async function measure(workload: Workload, rounds: number): Promise<void> {
  const rows = rowsFor(workload);
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rotated(rows, round)) {
      const server = await start({
        kind: row.kind,
        module: row.module,
        text: workload.text,
        everyMs: workload.everyMs,
      });
      try {
        const measured = await workload.run(server.url, () => server.usage());
        for (const [name, value] of Object.entries(measured))
          row.values.set(name, [...(row.values.get(name) ?? []), value]);
      } finally {
        await server.stop();
      }
    }
  }
  process.stdout.write(`\n${workload.title} (${workload.id})\n\n${table(workload, rows)}\n`);
}

function table({ columns }: Workload, rows: readonly Row[]): string {
  const of = (row: Row | undefined, name: string): Rounds => row?.values.get(name) ?? [];
  const first = rows[0];
  const heads = columns.flatMap(({ name, unit }) => [`${name}, ${unit}`, 'this, compared']);
  const lines = rows.map((row) => {
    const cells = columns.flatMap(({ name, most }) => {
      const own = summarize(of(row, name));
      const compared = row === first ? undefined : ratio(of(first, name), of(row, name));
      const wanted = row.name === 'other' ? ` (wanted ≤ ${most})` : '';
      return [
        own === undefined ? '' : `${own.median.toPrecision(3)} (${own.min.toPrecision(3)}–${own.max.toPrecision(3)})`,
        compared === undefined ? '' : `${compared.median.toFixed(2)} ×${wanted}`,
      ];
    });
    return `| ${[row.name, ...cells].join(' | ')} |`;
  });
  return [`| server | ${heads.join(' | ')} |`, `| --- |${' --- |'.repeat(heads.length)}`, ...lines].join('\n');
}

function start(setup: Setup): Promise<MeasuredServer<Usage>> {
  const profile = options['cpu-prof'];
  return MeasuredServer.start(
    new URL('./server-process.js', import.meta.url),
    setup,
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  );
}
