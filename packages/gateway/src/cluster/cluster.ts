import { timingSafeEqual } from 'node:crypto';
import { Backoffs } from './shared/backoffs.js';
import { ContextIndex } from './chains/context-index.js';
import { Keys } from './keys.js';
import { Leases } from './chains/leases.js';
import { ClusterCoordinator } from './cluster-coordinator.js';
import { Peers } from './peers.js';
import { Session } from './session.js';
import { SharedQuotas } from './shared/shared-quotas.js';
import { SharedIdRegistry } from './shared/shared-id-registry.js';
import { StickyTokens } from './sticky-tokens.js';
import { RedisStore } from './redis/redis-store.js';
import { connectRedis } from './redis/connection.js';
import type { ClusterConfig, Limits, UpstreamConfig } from '../config/schema.js';
import type { Coordinator } from '../relay/coordinator.js';
import type { Quotas } from '../relay/access/quotas.js';
import type { IdRegistry } from '../relay/access/id-registry.js';
import type { ClusterCounters } from './counters.js';
import type { RedisOptions } from './redis/connection.js';

export interface ClusterOptions {
  config: ClusterConfig;
  secret: string;
  password: string | undefined;
  limits: Pick<Limits, 'chain_bytes'>;
  /** The upstream of the configuration that is in force. */
  upstream: () => UpstreamConfig;
  counters: ClusterCounters;
  onWarning: (message: string) => void;
}

/** This gateway as one of several. They share hashes and ids through Redis, but never contents, credentials or sockets. */
export class Cluster {
  readonly registry: IdRegistry;
  readonly quotas: Quotas;
  readonly coordinator: Coordinator;
  readonly #store: RedisStore;
  readonly #session: Session;
  readonly #leases: Leases;
  readonly #peers: Peers;
  readonly #keys: Keys;

  constructor({ config, secret, password, limits, upstream, counters, onWarning }: ClusterOptions) {
    const redis: RedisOptions = { place: placeOf(config), username: config.username, password };
    const keys = new Keys(secret);
    const store = new RedisStore({
      connect: () => connectRedis(redis),
      onWarning,
      deadlineMs: config.deadline_ms,
      counters,
    });
    const backoffs = new Backoffs(store, keys);
    const session = new Session({
      store,
      keys,
      counters,
      address: config.address,
      onHeartbeat: () => void backoffs.refresh(),
    });
    const contexts = new ContextIndex(store, keys, counters);
    this.#keys = keys;
    this.#store = store;
    this.#session = session;
    this.#leases = new Leases(store, session, counters);
    this.#peers = new Peers(keys, { upstream, limits, counters, onWarning });
    this.quotas = new SharedQuotas(store, keys, session);
    this.registry = new SharedIdRegistry(store, keys);
    this.coordinator = new ClusterCoordinator({
      keys,
      contexts,
      session,
      backoffs,
      tokens: new StickyTokens(keys, config.node),
      leases: this.#leases,
      peers: this.#peers,
      counters,
      upstream: () => upstream().base_url,
    });
    session.start();
  }

  /** True while Redis answers and the other nodes know this one. */
  get isConnected(): boolean {
    return !this.#store.isUnavailable && this.#session.id !== undefined;
  }

  /** True for a request that another node sent, and that is for this one. @param shown the value of the header by which it shows that */
  isRelayed(shown: string): boolean {
    const { id } = this.#session;
    if (id === undefined) return false;
    const expected = Buffer.from(this.#keys.relayProof(id));
    const given = Buffer.from(shown);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }

  /** True where this node holds the chain of a response, so that another node may hand over the turn that continues it. @param response the hash of its id */
  canContinue(response: string): boolean {
    return this.#leases.holds(response);
  }

  /** Ends the session, so that other nodes may take over the chains of this one. */
  drain(): void {
    this.#session.end();
  }

  async close(): Promise<void> {
    await this.#peers.close();
    // The answer to PING shows that all earlier writes have been executed.
    await this.#store.command(['PING'], String);
    this.#store.close();
  }

  destroy(): void {
    this.#session.end();
    this.#peers.destroy();
    this.#store.close();
  }
}

function placeOf({ redis, sentinel }: ClusterConfig): RedisOptions['place'] {
  if (sentinel === undefined) return { name: 'server', url: redis ?? '' };
  const nodes = sentinel.nodes.map((node) => {
    const [host = '', port = ''] = node.split(':');
    return { host, port: Number(port) };
  });
  return { name: 'sentinel', master: sentinel.master, nodes, tls: sentinel.tls };
}
