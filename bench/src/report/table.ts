import { clientOf } from '../client/clients.js';
import { ratio, summarize } from './statistics.js';
import type { Verdict } from './goals.js';
import type { Shares } from './profile.js';
import type { Result, Row, Setting } from '../suite.js';
import type { Summary } from './statistics.js';
import type { Metric, Workload } from '../workloads.js';

/** The tables of a run in Markdown, for a terminal and for bench/NOTES.md. */
export function tables(workloads: readonly Workload[], results: readonly Result[]): string {
  return workloads
    .flatMap((workload) => {
      const result = results.find((known) => known.workload === workload.id);
      return result === undefined ? [] : [table(workload, result)];
    })
    .join('\n\n');
}

export function settingInWords({ at, node, platform, processor, cores, memoryGb, versions, rounds }: Setting): string {
  const peers = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `${at}; Node ${node.slice(1)}, ${platform}, ${processor}, ${cores} cores, ${memoryGb} GB; ${rounds} rounds. ${peers}.`;
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return aligned([
    ['workload', 'goal', 'measured', ''],
    ...verdicts.map(({ workload, goal, value, outcome }) => [
      workload,
      goal,
      value === undefined ? '–' : number(value, 2),
      outcome,
    ]),
  ]);
}

/** The CPU shares of the profiled rows: in µs per event where that was measured, otherwise in percent. */
export function shareTables(workloads: readonly Workload[], results: readonly Result[]): string {
  return workloads
    .flatMap(({ id, title }) => {
      const rows = results.find(({ workload }) => workload === id)?.rows.filter(({ shares }) => shares !== undefined);
      if (rows === undefined || rows.length === 0) return [];
      const perEvent = rows.every(({ metrics }) => metrics['cpuUsPerEvent'] !== undefined);
      const head = ['', perEvent ? 'CPU per event, µs' : 'CPU, %', 'of which'];
      const body = rows.map(({ client, metrics, shares = {} }) => {
        const whole = perEvent ? (metrics['cpuUsPerEvent']?.at(-1) ?? NaN) : 100;
        return [
          clientOf(client).title,
          number(whole, perEvent ? 2 : 0),
          sharesInWords(shares, whole, perEvent ? 2 : 0),
        ];
      });
      return [[`### ${title}`, '', aligned([head, ...body])].join('\n')];
    })
    .join('\n\n');
}

function sharesInWords(shares: Shares, whole: number, digits: number): string {
  return Object.entries(shares)
    .sort(([, a], [, b]) => b - a)
    .filter(([, share]) => share >= 0.01)
    .map(([who, share]) => `${who} ${number(share * whole, digits)}`)
    .join(', ');
}

function table(workload: Workload, { rows }: Result): string {
  const columns = workload.metrics.flatMap((metric) => [
    metric.title,
    ...(metric.against === undefined ? [] : [`× ${clientOf(metric.against).id}`]),
  ]);
  const notes = rows
    .filter(({ missing }) => missing !== undefined)
    .map(({ client, missing }) => `${clientOf(client).title}: ${missing?.why} (${missing?.message})`);
  return [
    `### ${workload.title}`,
    '',
    aligned([
      ['', ...columns],
      ...rows
        .filter(({ missing }) => missing === undefined)
        .map((row) => [clientOf(row.client).title, ...workload.metrics.flatMap((metric) => cells(metric, row, rows))]),
    ]),
    ...(notes.length === 0 ? [] : ['', `Not measured: ${notes.join('; ')}.`]),
  ].join('\n');
}

function cells({ name, digits, against }: Metric, row: Row, rows: readonly Row[]): string[] {
  const own = row.metrics[name] ?? [];
  const value = withSpread(summarize(own), digits);
  if (against === undefined) return [value];
  const base = rows.find(({ client }) => client === against)?.metrics[name];
  return [value, base === undefined ? '–' : withSpread(ratio(own, base), 2)];
}

/** The median, with the lowest and the highest round. */
function withSpread(summary: Summary | undefined, digits: number): string {
  if (summary === undefined) return '–';
  const { median, min, max, rounds } = summary;
  if (rounds === 1 || number(min, digits) === number(max, digits)) return number(median, digits);
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

export function number(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function aligned(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_title, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
