import { createRelay } from '@turnwire/client/relay';
import type { Relay, RelayOptions } from '@turnwire/client/relay';
import type { Limits, UpstreamConfig } from '../config/schema.js';
import type { Principal } from './principal.js';

/** The use of a relay by one turn: the relay stays open until every lease is released. */
export interface RelayLease {
  readonly relay: Relay;
  release(): void;
}

/** Connections and chains at the upstream, of one identity or of all together. */
export interface RelayCounts {
  /** Open WebSockets. */
  connections: number;
  /** Open WebSockets that carry a turn. */
  busy: number;
  /** Lanes that carry a turn. */
  lanes: number;
  /** Responses that can be continued by a delta. */
  chains: number;
  /** Estimated memory for the histories of these chains. */
  chainBytes: number;
  /** Chains whose connection was given to another turn or was idle for too long, since the start. */
  chainsGivenUp: number;
}

interface Entry {
  relay: Relay;
  /** The name of the principal that used it last: several can share one identity. */
  usedBy: string;
  running: number;
  idle: NodeJS.Timeout | undefined;
}

/** The idle time after which an identity's relay is closed, in milliseconds. Its connections would be too old by then. */
const identityIdleMs = 3_600_000;

export interface RelaysOptions {
  upstream: UpstreamConfig;
  limits: Pick<Limits, 'chain_bytes'>;
  onWarning: (message: string) => void;
}

/** One relay for each identity, so that no two share a connection or a chain. */
export class Relays {
  readonly #options: RelaysOptions;
  /** Relays by identity, in the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Relay>();
  readonly #warned = new Set<string>();
  /** Chains that relays had given up before those relays were closed. */
  #pastGivenUp = 0;

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  take({ identity, name, credential }: Pick<Principal, 'identity' | 'name' | 'credential'>): RelayLease {
    const key = JSON.stringify(identity);
    const entry = this.#entries.get(key) ?? {
      relay: this.#create({ identity, credential }),
      usedBy: name,
      running: 0,
      idle: undefined,
    };
    entry.usedBy = name;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.running += 1;
    clearTimeout(entry.idle);
    this.#bound();
    let released = false;
    return {
      relay: entry.relay,
      release: () => {
        if (released) return;
        released = true;
        entry.running -= 1;
        if (entry.running > 0 || this.#entries.get(key) !== entry) return;
        entry.idle = setTimeout(() => this.#end(key, entry), identityIdleMs);
        entry.idle.unref();
        this.#bound();
      },
    };
  }

  /** The sums over all identities. */
  get stats(): RelayCounts & { identities: number } {
    const total = {
      connections: 0,
      busy: 0,
      lanes: 0,
      chains: 0,
      chainBytes: 0,
      chainsGivenUp: this.#pastGivenUp,
      identities: this.#entries.size,
    };
    for (const { relay } of this.#entries.values()) {
      const counts = countsOf(relay);
      total.connections += counts.connections;
      total.busy += counts.busy;
      total.lanes += counts.lanes;
      total.chains += counts.chains;
      total.chainBytes += counts.chainBytes;
      total.chainsGivenUp += counts.chainsGivenUp;
    }
    return total;
  }

  /** The identities used last, newest first. */
  newest(most: number): (RelayCounts & { usedBy: string })[] {
    const entries = [...this.#entries.values()].slice(-most).toReversed();
    return entries.map(({ relay, usedBy }) => ({ usedBy, ...countsOf(relay) }));
  }

  async close(): Promise<void> {
    const relays = [...this.#entries.values()].map(({ relay }) => relay);
    for (const [key, entry] of this.#entries) this.#end(key, entry);
    await Promise.all(relays.map((relay) => relay.close()));
  }

  destroy(): void {
    const relays = [...[...this.#entries.values()].map(({ relay }) => relay), ...this.#closing];
    this.#entries.clear();
    for (const relay of relays) relay.destroy();
  }

  get #chainBytes(): number {
    let bytes = 0;
    for (const { relay } of this.#entries.values()) bytes += relay.chainBytes;
    return bytes;
  }

  #create({ identity, credential }: Pick<Principal, 'identity' | 'credential'>): Relay {
    const { upstream, limits, onWarning } = this.#options;
    const options: RelayOptions = {
      baseUrl: upstream.base_url,
      headers:
        credential === undefined
          ? { ...identity, ...upstream.headers }
          : async () => ({ ...identity, ...(await credential()), ...upstream.headers }),
      transport: upstream.transport,
      pool: { maxConnections: upstream.max_connections, maxIdleMs: upstream.socket_idle_ms, lanes: upstream.lanes },
      timeouts: {
        dialMs: upstream.dial_ms,
        firstEventMs: upstream.first_event_ms,
        idleMs: upstream.idle_ms,
        queueMs: upstream.queue_ms,
      },
      // Clients have retries of their own: layers that both retry multiply.
      recovery: { replay: upstream.replay, refusals: 'surface' },
      network: { allowPlaintext: upstream.allow_plaintext },
      chains: { maxBytes: limits.chain_bytes },
      onWarning: (message) => {
        if (this.#warned.has(message)) return;
        if (this.#warned.size < 100) this.#warned.add(message);
        onWarning(message);
      },
    };
    return createRelay(options);
  }

  /** Closes the relays used least recently, but never the last entry, which is in use now. */
  #bound(): void {
    const { upstream, limits } = this.#options;
    const exceeded = (): boolean =>
      this.#entries.size > upstream.identities || (this.#entries.size > 1 && this.#chainBytes > limits.chain_bytes);
    if (!exceeded()) return;
    for (const [key, entry] of [...this.#entries].slice(0, -1)) {
      if (entry.running === 0) this.#end(key, entry);
      if (!exceeded()) return;
    }
  }

  #end(key: string, { relay, idle }: Entry): void {
    clearTimeout(idle);
    this.#entries.delete(key);
    this.#pastGivenUp += relay.stats.chainsGivenUp;
    this.#closing.add(relay);
    void relay.close().finally(() => this.#closing.delete(relay));
  }
}

function countsOf({ stats, chainBytes }: Relay): RelayCounts {
  const { connections, busy, lanes, chains, chainsGivenUp } = stats;
  return { connections, busy, lanes, chains, chainBytes, chainsGivenUp };
}
