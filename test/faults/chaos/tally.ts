import type { TurnReport } from '@turnwire/client';

/** The counts of a run of chaos. */
export class Tally {
  turns = 0;
  left = 0;
  deltas = 0;
  readonly faults = new Map<string, number>();
  readonly recoveries = new Map<string, number>();
  readonly errors = new Map<string, number>();
  readonly transports = new Map<string, number>();
  /** A turn that failed without a fault, or succeeded without its whole answer. */
  readonly lost: string[] = [];
  readonly doubled: string[] = [];
  /** Answered from something else than what was asked. */
  readonly mixedUp: string[] = [];
  /** Asked with the key of another tenant. */
  readonly foreign: string[] = [];

  fault(name: string): void {
    count(this.faults, name);
  }

  surfaced(code: string): void {
    count(this.errors, code);
  }

  turn({ attempts, transport, plan }: TurnReport): void {
    this.turns += 1;
    if (plan === 'delta') this.deltas += 1;
    count(this.transports, transport);
    for (const [index, { error, transport: from }] of attempts.slice(0, -1).entries()) {
      const to = attempts[index + 1]?.transport;
      count(this.recoveries, `${String(error)}, then ${from === to ? 'again' : `by ${String(to)}`}`);
    }
  }

  add(other: Tally): void {
    this.turns += other.turns;
    this.left += other.left;
    this.deltas += other.deltas;
    for (const name of ['faults', 'recoveries', 'errors', 'transports'] as const)
      for (const [key, times] of other[name]) this[name].set(key, (this[name].get(key) ?? 0) + times);
    for (const name of ['lost', 'doubled', 'mixedUp', 'foreign'] as const) this[name].push(...other[name]);
  }

  /** All that must not be, a line each. */
  get wrong(): string[] {
    return [...this.lost, ...this.doubled, ...this.mixedUp, ...this.foreign];
  }

  toString(): string {
    const list = (counts: ReadonlyMap<string, number>): string[] =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, times]) => `  ${String(times).padStart(6)}  ${name}`);
    return [
      `turns ${this.turns} (${this.deltas} as deltas, ${this.left} left by their caller)`,
      'by transport',
      ...list(this.transports),
      'faults',
      ...list(this.faults),
      'recoveries',
      ...list(this.recoveries),
      'surfaced',
      ...list(this.errors),
      `lost ${this.lost.length}, doubled ${this.doubled.length}, mixed up ${this.mixedUp.length}, another tenant's ${this.foreign.length}`,
      ...this.wrong.slice(0, 20).map((line) => `  ${line}`),
    ].join('\n');
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
