import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { CounterOutcomes, ClusterCounters } from '../cluster/counters.js';

const counters: Readonly<Record<keyof CounterOutcomes, [name: string, help: string]>> = {
  commands: ['redis_commands', 'Commands to Redis, by what came of them.'],
  breaker: ['redis_breaker', 'How often no command was sent any more, and commands were sent again.'],
  lookups: ['lookups', 'Turns, by what was known of the chain that they continue.'],
  offers: ['offers', 'Turns that were offered to the node which has their chain.'],
  leases: ['leases', 'Writes of this node for chains that are bound to its sockets.'],
  sessions: ['sessions', 'Sessions of this node, by which the others know it.'],
};

/** The counters of a cluster's node, for Prometheus. Their only label is `outcome`, whose values are those of `CounterOutcomes`. */
export class ClusterMetrics implements ClusterCounters {
  readonly #counters: ReadonlyMap<keyof CounterOutcomes, Counter>;
  readonly #seconds: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#counters = new Map(
      Object.entries(counters).map(([key, [name, help]]) => [
        key as keyof CounterOutcomes,
        new Counter({ name: `turnwire_cluster_${name}_total`, help, labelNames: ['outcome'], registers }),
      ]),
    );
    this.#seconds = new Histogram({
      name: 'turnwire_cluster_redis_seconds',
      help: 'Until Redis has answered a command.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
      registers,
    });
  }

  count<Name extends keyof CounterOutcomes>(name: Name, outcome: CounterOutcomes[Name]): void {
    this.#counters.get(name)?.inc({ outcome });
  }

  repliedIn(ms: number): void {
    this.#seconds.observe(ms / 1000);
  }
}
