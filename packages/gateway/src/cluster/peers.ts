import { request } from 'undici/index.js';
import type { IncomingMessage } from 'node:http';
import { Relays } from '../upstream/relays.js';
import type { UpstreamConfig } from '../config/schema.js';
import type { RelayLease, RelaysOptions } from '../upstream/relays.js';
import type { Principal } from '../upstream/principal.js';
import type { Keys } from './keys.js';
import type { ChainLocation } from './chains/context-index.js';
import type { ClusterCounters } from './counters.js';

/** The path at which a node answers whether it takes a turn. */
export const offerPath = '/cluster/offer';

/** The header by which a request shows that another node sent it, and that it is for this one. */
export const relayedHeader = 'x-turnwire-relayed';

/** True for a request that claims to come from another node. */
export function isFromNode({ headers }: IncomingMessage): boolean {
  return headers[relayedHeader] !== undefined;
}

/** The wait for the answer to an offer, in milliseconds. Without one, this gateway sends the turn to the upstream in full. */
const offerMs = 250;

/**
 * The number of offers in a row without an answer after which a node is not asked for a while, since each of them costs a turn `offerMs`. Offers at once
 * count as one: all of them meet the same short standstill of a busy node.
 */
const maxMisses = 3;

/** The time for which such a node is not asked, in milliseconds. */
const restMs = 2000;

const dialMs = 1000;

/** The most turns of this node that run on others. */
const maxRelayedTurns = 1000;

/** The most nodes to which connections are kept, those of one transport counted apart from those of the other. */
const maxPeers = 32;

/** The time after which an idle WebSocket between two nodes is closed, in milliseconds. */
const socketIdleMs = 60_000;

/** A turn of a client's WebSocket goes over a WebSocket, so that the client can steer it; any other one as a POST. */
type PeerTransport = Extract<UpstreamConfig['transport'], 'auto' | 'sse'>;

export type PeersOptions = Omit<RelaysOptions, 'upstream'> & {
  upstream: () => RelaysOptions['upstream'];
  counters: ClusterCounters;
};

/** Relays to the other nodes. A turn is handed over once at most: the node that takes it sends it to the upstream. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #keys: Keys;
  /** Relays by transport and session, in the order of their last use. */
  readonly #relays = new Map<string, Relays>();
  /** Nodes that did not answer the last offer, by session: they may be behind an address that nobody reaches. */
  readonly #silent = new Map<string, { misses: number; since: number }>();
  #running = 0;

  constructor(keys: Keys, options: PeersOptions) {
    this.#keys = keys;
    this.#options = options;
  }

  /** Asks a node to take the turn, and gives the relay to it when it agrees. Never rejects. */
  async offer(
    location: Extract<ChainLocation, { name: 'node' }>,
    { name, received }: Principal,
    transport: PeerTransport,
  ): Promise<RelayLease | undefined> {
    const { session, address, response } = location;
    const { counters } = this.#options;
    if (address === '') return undefined;
    if (this.#running >= maxRelayedTurns) {
      counters.count('offers', 'busy');
      return undefined;
    }
    if (this.#isResting(session)) {
      counters.count('offers', 'unreachable');
      return undefined;
    }
    const headers = { [relayedHeader]: this.#keys.relayProof(session) };
    const begunAt = performance.now();
    const overdue = new AbortController();
    // An answer that came while this program's own event loop stood still is read first.
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => overdue.abort())), offerMs);
    try {
      const url = new URL(`${address.replace(/\/+$/, '')}${offerPath}?response=${response}`);
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers,
        signal: overdue.signal,
      });
      await body.dump();
      this.#silent.delete(session);
      counters.count('offers', statusCode === 204 ? 'taken' : 'declined');
      if (statusCode !== 204) return undefined;
    } catch {
      this.#noteMiss(session, begunAt);
      counters.count('offers', 'unreachable');
      return undefined;
    } finally {
      clearTimeout(timer);
    }
    const lease = this.#relaysTo(location, transport, headers).take({ name, identity: received });
    this.#running += 1;
    let isReleased = false;
    return {
      relay: lease.relay,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#running -= 1;
        lease.release();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relays) => relays.close()));
  }

  destroy(): void {
    for (const relays of this.#relays.values()) relays.destroy();
    this.#relays.clear();
  }

  #isResting(session: string): boolean {
    const silence = this.#silent.get(session);
    return silence !== undefined && silence.misses >= maxMisses && performance.now() - silence.since < restMs;
  }

  #noteMiss(session: string, begunAt: number): void {
    const { misses: before = 0, since = 0 } = this.#silent.get(session) ?? {};
    if (begunAt < since) return;
    const misses = before + 1;
    this.#silent.delete(session);
    this.#silent.set(session, { misses, since: performance.now() });
    const [oldest] = this.#silent.keys();
    if (this.#silent.size > maxPeers && oldest !== undefined) this.#silent.delete(oldest);
  }

  #relaysTo(
    { session, address }: Extract<ChainLocation, { name: 'node' }>,
    transport: PeerTransport,
    headers: Record<string, string>,
  ): Relays {
    const { upstream, limits, onWarning } = this.#options;
    const key = `${transport} ${session}`;
    const relays =
      this.#relays.get(key) ??
      new Relays({
        limits,
        onWarning,
        upstream: {
          ...upstream(),
          base_url: `${address.replace(/\/+$/, '')}/v1`,
          transport,
          // A client that reads slowly holds up the socket of its turn, and no other turn.
          lanes: false,
          max_connections: maxRelayedTurns,
          socket_idle_ms: socketIdleMs,
          headers,
          allow_plaintext: true,
          replay: 'unsent',
          dial_ms: dialMs,
        },
      });
    this.#relays.delete(key);
    this.#relays.set(key, relays);
    if (this.#relays.size > maxPeers) {
      const [[oldest, left] = []] = this.#relays;
      if (oldest !== undefined) this.#relays.delete(oldest);
      void left?.close();
    }
    return relays;
  }
}
