/** Counters of a node, each with its possible outcomes. docs/cluster.md says what they mean. */
export interface Counts {
  commands: 'answered' | 'late' | 'failed' | 'nonsense' | 'full' | 'not_asked';
  breaker: 'opened' | 'closed';
  lookups: 'here' | 'stored' | 'node' | 'none' | 'unanswered' | 'stale';
  offers: 'taken' | 'declined' | 'unreachable' | 'busy' | 'returned';
  leases: 'begun' | 'moved' | 'taken_over' | 'refused' | 'lapsed' | 'unanswered';
  sessions: 'begun' | 'lapsed';
}

/** Receives the counts of a node. */
export interface Tally {
  count<Name extends keyof Counts>(name: Name, outcome: Counts[Name]): void;
  /** Called for each command that Redis has answered. */
  answeredIn(ms: number): void;
}
