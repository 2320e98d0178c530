// `npm run bench`: measures, prints tables, and says which goals are met. bench/NOTES.md explains the method.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { certificateIn } from './server/certificate.js';
import { chart } from './report/chart.js';
import { clients } from './client/clients.js';
import { judge } from './report/goals.js';
import { replaceSection } from './report/page.js';
import { installPeers, peerVersions } from './client/peers.js';
import { measure, settingOf } from './suite.js';
import { settingInWords, shareTables, tables, verdictTable } from './report/table.js';
import { workloads } from './workloads.js';
import type { Result, Setting } from './suite.js';
import type { Workload } from './workloads.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const root = join(folder, '..');

interface Report {
  setting: Setting;
  results: Result[];
}

const usage = `npm run bench -- [options]

  --only WORDS     workloads and clients, by their ids, with commas between them; default: all
  --rounds N       how often each client runs each workload; default: 5
  --check          end with status 1 if a goal is missed
  --json           print the report as JSON
  --from FILE      measure nothing: take a report that --json printed
  --svg FOLDER     write a chart for each workload
  --docs           write tables into bench/NOTES.md, and charts into docs/ unless they are of Node 20
  --cpu-prof FOLDER  write a CPU profile of each client, and say who used the CPU; costs some percent itself
  --seed N         of the server's answers; default: 1

workloads: ${workloads.map(({ id }) => id).join(', ')}
clients: ${clients.map(({ id }) => id).join(', ')}
The emulator and the gateway have benches of their own: npm run bench:emulator, npm run bench:gateway
`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      from: { type: 'string' },
      svg: { type: 'string' },
      docs: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = choose(values.only);
  const report =
    values.from === undefined
      ? await run(chosen, { rounds: count(values.rounds), seed: count(values.seed), profiles: values['cpu-prof'] })
      : read(values.from);
  const verdicts = judge(chosen, report.results);
  const shares = shareTables(chosen, report.results);
  const text = `${settingInWords(report.setting)}\n\n${tables(chosen, report.results)}\n`;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...report, goals: verdicts })}\n`
      : `${text}\n### Goals\n\n${verdictTable(verdicts)}\n${shares === '' ? '' : `\n## Who used the CPU\n\n${shares}\n`}`,
  );
  if (values.svg !== undefined) writeCharts(values.svg, chosen, report.results);
  if (values.docs) {
    // The charts and the results are of the newer version of Node; the older one has tables and goals of its own.
    const older = report.setting.node.startsWith('v20.') ? '-node-20' : '';
    rewrite(join(root, 'bench', 'NOTES.md'), { [`tables${older}`]: text, [`goals${older}`]: verdictTable(verdicts) });
    if (older === '') {
      const charts = writeCharts(join(root, 'docs', 'performance'), chosen, report.results);
      const pictures = charts.map(({ title, file }) => `![${title}](performance/${file})`).join('\n\n');
      rewrite(join(root, 'docs', 'performance.md'), { charts: pictures });
    }
  }
  return values.check && verdicts.some(({ outcome }) => outcome !== 'met') ? 1 : 0;
}

function rewrite(path: string, sections: Readonly<Record<string, string>>): void {
  let page = readFileSync(path, 'utf8');
  for (const [section, text] of Object.entries(sections)) page = replaceSection(page, section, text);
  writeFileSync(path, page);
}

async function run(
  chosen: readonly Workload[],
  { rounds, seed, profiles }: { rounds: number; seed: number; profiles: string | undefined },
): Promise<Report> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  installPeers(folder, say);
  if (rounds < 5) say('Fewer than five rounds: to look at, not to quote.');
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const results = await measure({
    workloads: chosen,
    rounds,
    seed,
    root,
    certificate: () => certificateIn(join(root, '.cache', 'bench-certificate')),
    profiles,
    onProgress: say,
  });
  return { setting: settingOf(peerVersions(folder), rounds, seed), results };
}

/** The workloads that --only names. A word is a workload or a client; clients that ratios are taken against stay. */
function choose(only: string | undefined): Workload[] {
  if (only === undefined) return [...workloads];
  const words = only.split(',').map((word) => word.trim());
  for (const word of words) {
    if (!workloads.some(({ id }) => id === word) && !clients.some(({ id }) => id === word))
      throw new Error(`--only knows no "${word}": see --help for the workloads and clients`);
  }
  const named = workloads.filter(({ id }) => words.includes(id));
  const rows = words.filter((word) => clients.some(({ id }) => id === word));
  return (named.length === 0 ? workloads : named).map((workload) => {
    if (rows.length === 0) return workload;
    const needed = new Set([...rows, ...workload.metrics.flatMap(({ against }) => against ?? [])]);
    return {
      ...workload,
      rows: workload.rows.filter((row) => needed.has(row)),
      goals: workload.goals.filter(
        (goal) => needed.has(goal.row) && (!('against' in goal) || needed.has(goal.against)),
      ),
    };
  });
}

function read(file: string): Report {
  // A round without a value is null in the file, since JSON has no undefined.
  return JSON.parse(readFileSync(file, 'utf8'), (_key, value: unknown) =>
    Array.isArray(value) ? value.map((item: unknown) => item ?? undefined) : value,
  ) as Report;
}

function writeCharts(
  into: string,
  chosen: readonly Workload[],
  results: readonly Result[],
): { title: string; file: string }[] {
  mkdirSync(into, { recursive: true });
  return chosen.flatMap((workload) => {
    const result = results.find((known) => known.workload === workload.id);
    const svg = result === undefined ? undefined : chart(workload, result);
    if (svg === undefined) return [];
    writeFileSync(join(into, `${workload.id}.svg`), svg);
    return [{ title: workload.title, file: `${workload.id}.svg` }];
  });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error('--rounds and --seed take a whole number from 1');
  return value;
}
