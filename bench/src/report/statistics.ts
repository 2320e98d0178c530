/** The middle of the values; NaN where there are none. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** A percentile, interpolated between the two nearest ranks: the 50th of an even number of values is the mean of the middle two. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(rank)] ?? NaN;
  const above = sorted[Math.ceil(rank)] ?? NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** The values of one row, one for each round; undefined for a round that failed. */
export type Rounds = readonly (number | undefined)[];

export interface Summary {
  median: number;
  min: number;
  max: number;
  rounds: number;
}

/** undefined where no round has a value. */
export function summarize(rounds: Rounds): Summary | undefined {
  const values = rounds.filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), rounds: values.length };
}

/**
 * The ratio of two rows, taken round by round: the machine's drift from round to round is in both, and cancels out. Rounds without a value of both do not
 * count.
 */
export function ratio(rounds: Rounds, reference: Rounds): Summary | undefined {
  return summarize(
    rounds.map((value, round) => {
      const base = reference[round];
      return value === undefined || base === undefined || base === 0 ? undefined : value / base;
    }),
  );
}

/** The order of the rows in a round. Each round begins one row further (A B C, B C A, …), so that none is always first or always after the same. */
export function rotated<Row>(rows: readonly Row[], round: number): Row[] {
  if (rows.length === 0) return [];
  const first = round % rows.length;
  return [...rows.slice(first), ...rows.slice(0, first)];
}
