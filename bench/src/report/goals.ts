import { clientOf } from '../client/clients.js';
import { ratio, summarize } from './statistics.js';
import type { Result, Row } from '../suite.js';
import type { Goal, Workload } from '../workloads.js';

/** The result of a run for one goal. */
export interface Verdict {
  workload: string;
  /** The goal in words: client, metric and limit. */
  goal: string;
  /** `unknown`: a row that the goal needs was not measured. */
  outcome: 'met' | 'missed' | 'not yet' | 'unknown';
  /** The value that is compared with the limit. */
  value: number | undefined;
}

export function judge(workloads: readonly Workload[], results: readonly Result[]): Verdict[] {
  return workloads.flatMap((workload) => {
    const result = results.find((known) => known.workload === workload.id);
    return result === undefined ? [] : workload.goals.map((goal) => verdictOn(workload, goal, result.rows));
  });
}

function verdictOn(workload: Workload, goal: Goal, rows: readonly Row[]): Verdict {
  const row = rows.find(({ client }) => client === goal.row);
  const reference = 'against' in goal ? rows.find(({ client }) => client === goal.against) : undefined;
  const value = valueOf(goal, row, reference);
  const metric = workload.metrics.find(({ name }) => name === goal.metric)?.title ?? goal.metric;
  return {
    workload: workload.id,
    goal: `${clientOf(goal.row).title}: ${metric} ${limitInWords(goal)}`,
    value,
    outcome:
      value === undefined || Number.isNaN(value)
        ? row?.missing?.why === 'not yet'
          ? 'not yet'
          : 'unknown'
        : isMet(goal, value)
          ? 'met'
          : 'missed',
  };
}

function valueOf(goal: Goal, row: Row | undefined, reference: Row | undefined): number | undefined {
  const rounds = row?.metrics[goal.metric];
  if (rounds === undefined) return undefined;
  if (!('against' in goal)) return summarize(rounds)?.median;
  const base = reference?.metrics[goal.metric];
  if (base === undefined) return undefined;
  if (!('beyond' in goal)) return ratio(rounds, base)?.median;
  return summarize(
    rounds.map((value, round) => {
      const other = base[round];
      return value === undefined || other === undefined ? undefined : value - other;
    }),
  )?.median;
}

function isMet(goal: Goal, value: number): boolean {
  if ('atLeast' in goal) return value >= goal.atLeast;
  if ('beyond' in goal) return value <= goal.beyond;
  return value <= ('atMost' in goal ? goal.atMost : goal.most);
}

function limitInWords(goal: Goal): string {
  if (!('against' in goal)) return `≤ ${goal.most}`;
  const against = clientOf(goal.against).title;
  if ('atMost' in goal) return `≤ ${goal.atMost} × ${against}`;
  if ('atLeast' in goal) return `≥ ${goal.atLeast} × ${against}`;
  return `≤ ${goal.beyond} more than ${against}`;
}
