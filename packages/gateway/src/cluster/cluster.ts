import { timingSafeEqual } from 'node:crypto';
import { Backoffs } from './backoffs.js';
import { Contexts } from './contexts.js';
import { Keys } from './keys.js';
import { Leases } from './leases.js';
import { Neighbours } from './neighbours.js';
import { Peers } from './peers.js';
import { Session } from './session.js';
import { SharedQuotas } from './shared-quotas.js';
import { SharedRegistry } from './shared-registry.js';
import { StickyTokens } from './sticky-tokens.js';
import { Store } from './redis/store.js';
import { connectRedis } from './redis/connection.js';
import type { ClusterConfig, Limits, UpstreamConfig } from '../config/schema.js';
import type { Elsewhere } from '../relay/elsewhere.js';
import type { Quotas } from '../relay/quotas.js';
import type { Registry } from '../relay/registry.js';
import type { Tally } from './tally.js';
import type { RedisOptions } from './redis/connection.js';

export interface ClusterOptions {
  config: ClusterConfig;
  secret: string;
  password: string | undefined;
  limits: Pick<Limits, 'chain_bytes'>;
  /** The upstream of the configuration that is in force. */
  upstream: () => UpstreamConfig;
  tally: Tally;
  onWarning: (message: string) => void;
}

/** This gateway as one of several. They share hashes and ids through Redis, but never contents, credentials or sockets. */
export class Cluster {
  readonly registry: Registry;
  readonly quotas: Quotas;
  readonly elsewhere: Elsewhere;
  readonly #store: Store;
  readonly #session: Session;
  readonly #leases: Leases;
  readonly #peers: Peers;
  readonly #keys: Keys;

  constructor({ config, secret, password, limits, upstream, tally, onWarning }: ClusterOptions) {
    const redis: RedisOptions = { place: placeOf(config), username: config.username, password };
    const keys = new Keys(secret);
    const store = new Store({ connect: () => connectRedis(redis), onWarning, deadlineMs: config.deadline_ms, tally });
    const backoffs = new Backoffs(store, keys);
    const session = new Session({
      store,
      keys,
      tally,
      address: config.address,
      onBeat: () => void backoffs.refresh(),
    });
    const contexts = new Contexts(store, keys, tally);
    this.#keys = keys;
    this.#store = store;
    this.#session = session;
    this.#leases = new Leases(store, session, tally);
    this.#peers = new Peers(keys, { upstream, limits, tally, onWarning });
    this.quotas = new SharedQuotas(store, keys, session);
    this.registry = new SharedRegistry(store, keys);
    this.elsewhere = new Neighbours({
      keys,
      contexts,
      session,
      backoffs,
      tokens: new StickyTokens(keys, config.node),
      leases: this.#leases,
      peers: this.#peers,
      tally,
      upstream: () => upstream().base_url,
    });
    session.start();
  }

  /** True while Redis answers and the other nodes know this one. */
  get isReached(): boolean {
    return !this.#store.isAway && this.#session.id !== undefined;
  }

  /** True for a request that another node sent, and that is for this one. @param shown the value of the header by which it shows that */
  isRelayed(shown: string): boolean {
    const { id } = this.#session;
    if (id === undefined) return false;
    const expected = Buffer.from(this.#keys.relayed(id));
    const given = Buffer.from(shown);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }

  /** True where this node holds the chain of a response, so that another node may hand over the turn that continues it. @param response the hash of its id */
  takes(response: string): boolean {
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
