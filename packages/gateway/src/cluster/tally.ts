/** What a node of a cluster counts, each by what has come of it. docs/cluster.md says what they mean. */
export interface Counts {
  commands: 'answered' | 'late' | 'failed' | 'nonsense' | 'full' | 'not_asked';
  breaker: 'opened' | 'closed';
  lookups: 'here' | 'stored' | 'node' | 'none' | 'unanswered' | 'stale';
  offers: 'taken' | 'declined' | 'unreachable' | 'busy' | 'returned';
  leases: 'begun' | 'moved' | 'taken_over' | 'refused' | 'lapsed' | 'unanswered';
  sessions: 'begun' | 'lapsed';
}

/** Who counts. */
export interface Tally {
  count<Name extends keyof Counts>(name: Name, outcome: Counts[Name]): void;
  /** Redis has answered a command. */
  answeredIn(ms: number): void;
}
