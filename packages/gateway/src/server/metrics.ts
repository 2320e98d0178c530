import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { ClusterMetrics } from './cluster-metrics.js';
import { tokensOf } from '../relay/turn-record.js';
import type { ClusterCounters } from '../cluster/counters.js';
import type { GatewayTurn } from '../relay/turn.js';

/** Gauges, measured when Prometheus asks. */
export interface Gauges {
  turns: number;
  sockets: number;
  connections: number;
  busy: number;
  identities: number;
  chains: number;
  chainBytes: number;
  historyBytes: number;
  chainsGivenUp: number;
}

const names = [
  'turns',
  'sockets',
  'connections',
  'busy',
  'identities',
  'chains',
  'chainBytes',
  'historyBytes',
  'chainsGivenUp',
] as const;

const help: Readonly<Record<(typeof names)[number], [name: string, text: string]>> = {
  turns: ['turns_running', 'Turns that run now.'],
  sockets: ['client_sockets', 'WebSockets of clients that are open.'],
  connections: ['upstream_connections', 'WebSockets to the upstream that are open.'],
  busy: ['upstream_connections_busy', 'Of these, carrying a turn.'],
  identities: ['identities', 'Combinations of credentials that are remembered.'],
  chains: ['chains', 'Responses that can be continued by a delta.'],
  chainBytes: ['chain_bytes', 'Memory for what is known of histories, as estimated.'],
  historyBytes: ['history_bytes', 'Memory for histories that can be restored.'],
  chainsGivenUp: [
    'chains_given_up',
    'Chains whose connection was given to another turn or was idle for too long, since the start.',
  ],
};

/** The metrics that Prometheus reads. Each label has few values: principals of the configuration by name, all others under one value. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #turns: Counter;
  readonly #refused: Counter;
  readonly #bytes: Counter;
  readonly #tokens: Counter;
  readonly #firstEvent: Histogram;
  readonly #gauges: ReadonlyMap<keyof Gauges, Gauge>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const named = (name: string, text: string) => ({ name: `turnwire_${name}`, help: text, registers });
    this.#turns = new Counter({
      ...named('turns_total', 'Turns that have ended.'),
      labelNames: ['principal', 'downstream', 'transport', 'plan', 'outcome'],
    });
    this.#refused = new Counter({
      ...named('refusals_total', 'Requests that the gateway refused itself.'),
      labelNames: ['status'],
    });
    this.#bytes = new Counter({
      ...named('request_bytes_total', 'Bytes of turns: those that clients have sent, and those that went up.'),
      labelNames: ['side'],
    });
    this.#tokens = new Counter({
      ...named('tokens_total', 'Tokens, as the upstream has counted them.'),
      labelNames: ['principal', 'kind'],
    });
    this.#firstEvent = new Histogram({
      ...named('first_event_seconds', 'From the beginning of a turn to its first event.'),
      labelNames: ['transport'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    });
    this.#gauges = new Map(names.map((name) => [name, new Gauge(named(...help[name]))]));
  }

  settled(turn: GatewayTurn): void {
    const { transport, plan, outcome = 'refused', sentBytes, firstEventMs, usage } = turn.report;
    const { principal, downstream, create } = turn.options;
    const name = principal.policy === undefined ? 'passed' : principal.name;
    this.#turns.inc({ principal: name, downstream, transport, plan, outcome });
    this.#bytes.inc({ side: 'client' }, create.bytes);
    this.#bytes.inc({ side: 'upstream' }, sentBytes);
    if (firstEventMs !== undefined) this.#firstEvent.observe({ transport }, firstEventMs / 1000);
    for (const [kind, count] of Object.entries(tokensOf(usage)))
      if (count !== undefined) this.#tokens.inc({ principal: name, kind }, count);
  }

  /** Adds the counters of a cluster. Call it once. */
  ofCluster(): ClusterCounters {
    return new ClusterMetrics(this.#registry);
  }

  refused(status: number): void {
    this.#refused.inc({ status: String(status) });
  }

  async text(gauges: Gauges): Promise<{ type: string; text: string }> {
    for (const [name, gauge] of this.#gauges) gauge.set(gauges[name]);
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
