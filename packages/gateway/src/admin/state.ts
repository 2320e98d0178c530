import { zeroCounts } from './activity.js';
import type { RelayCounts } from '../upstream/relays.js';
import type { Activity, PrincipalCounts, RecentTurn, TotalCounts } from './activity.js';

/** The state that the page shows, and that `/state.json` has: counts, names and times. No contents, and no keys. */
export interface AdminState {
  /** The origin whose API is served. */
  upstream: string;
  /** False from the moment the gateway drains. */
  ready: boolean;
  started_at: string;
  now: string;
  total: TotalCounts;
  /** Turns that are running now. */
  running: number;
  /** WebSockets of clients that are open. */
  client_sockets: number;
  connections: ConnectionCounts & {
    identities: number;
    /** Memory for histories that can be restored. */
    history_bytes: number;
  };
  /** Whether the Redis that several gateways share answers; null for a gateway by itself. */
  cluster: { redis: 'reached' | 'away' } | null;
  /** The identities used last, each with its connections and chains at the upstream. */
  identities: (ConnectionCounts & { used_by: string })[];
  /** The principals of the configuration, and the most recent of those whose keys are passed through. */
  principals: (Omit<PrincipalCounts, 'last_turn_at'> & { last_turn_at: string | null; running: number })[];
  /** The last turns, the newest first. */
  turns: readonly RecentTurn[];
}

/** The fields of {@link RelayCounts} under their names in the JSON. */
export interface ConnectionCounts {
  connections: number;
  busy: number;
  lanes: number;
  chains: number;
  chain_bytes: number;
  chains_given_up: number;
}

/** The gauges of the moment in which the page asks. */
export interface AdminGauges {
  upstream: string;
  ready: boolean;
  clientSockets: number;
  historyBytes: number;
  /** undefined for a gateway by itself. */
  cluster: { isConnected: boolean } | undefined;
  /** The names of the principals in the configuration. */
  principals: readonly string[];
  /** Running turns, counted by the name of their principal. */
  running: ReadonlyMap<string, number>;
  all: RelayCounts & { identities: number };
  newest: readonly (RelayCounts & { usedBy: string })[];
}

export const maxListedIdentities = 50;

export function stateOf(activity: Activity, gauges: AdminGauges): AdminState {
  const { upstream, ready, clientSockets, historyBytes, running, all, newest } = gauges;
  const now = new Date().toISOString();
  const active = activity.principals;
  const unseen = gauges.principals.filter((name) => !active.some((one) => one.name === name));
  const principals = [...active, ...unseen.map((name) => ({ name, ...zeroCounts(), last_turn_at: null }))];
  return {
    upstream,
    ready,
    started_at: activity.startedAt.toISOString(),
    now,
    total: activity.total,
    running: [...running.values()].reduce((sum, count) => sum + count, 0),
    client_sockets: clientSockets,
    connections: { ...named(all), identities: all.identities, history_bytes: historyBytes },
    cluster: gauges.cluster === undefined ? null : { redis: gauges.cluster.isConnected ? 'reached' : 'away' },
    identities: newest.map(({ usedBy, ...counts }) => ({ used_by: usedBy, ...named(counts) })),
    principals: principals.map((counts) => ({ ...counts, running: running.get(counts.name) ?? 0 })),
    turns: activity.turns,
  };
}

function named({ connections, busy, lanes, chains, chainBytes, chainsGivenUp }: RelayCounts): ConnectionCounts {
  return { connections, busy, lanes, chains, chain_bytes: chainBytes, chains_given_up: chainsGivenUp };
}
