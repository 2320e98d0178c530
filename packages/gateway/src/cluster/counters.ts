/** Counters of a node, each with its possible outcomes. docs/cluster.md says what they mean. */
export interface CounterOutcomes {
  commands: 'answered' | 'late' | 'failed' | 'nonsense' | 'full' | 'not_asked';
  breaker: 'opened' | 'closed';
  lookups: 'here' | 'stored' | 'node' | 'none' | 'unanswered' | 'stale';
  offers: 'taken' | 'declined' | 'unreachable' | 'busy' | 'returned';
  leases: 'begun' | 'moved' | 'taken_over' | 'refused' | 'lapsed' | 'unanswered';
  sessions: 'begun' | 'lapsed';
}

/** Receives the counts of a node. */
export interface ClusterCounters {
  count<Name extends keyof CounterOutcomes>(name: Name, outcome: CounterOutcomes[Name]): void;
  /** Called for each command that Redis has answered. */
  repliedIn(ms: number): void;
}
