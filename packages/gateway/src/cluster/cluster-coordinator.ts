import { ContextDigests } from '@turnwire/client/relay';
import { textField } from '../relay/create.js';
import type { Backoffs } from './shared/backoffs.js';
import type { ContextIndex, ChainLocation } from './chains/context-index.js';
import type { Coordinator } from '../relay/coordinator.js';
import type { ChainLookup, ChainLookupResult } from '../relay/chain-lookup.js';
import type { GatewayTurn } from '../relay/turn.js';
import type { Principal } from '../upstream/principal.js';
import type { Keys, Tenant } from './keys.js';
import type { Leases, ChainLease } from './chains/leases.js';
import type { Peers } from './peers.js';
import type { Session } from './session.js';
import type { ClusterCounters } from './counters.js';
import type { StickyTokens } from './sticky-tokens.js';

export interface ClusterCoordinatorOptions {
  keys: Keys;
  contexts: ContextIndex;
  leases: Leases;
  peers: Peers;
  session: Session;
  backoffs: Backoffs;
  tokens: StickyTokens;
  counters: ClusterCounters;
  /** The base of the upstream's API. */
  upstream: () => string;
}

type Headers = Readonly<Record<string, string>>;

/** The most stored responses of this node that are remembered: a turn that names one of them needs no look-up. */
const maxStoredResponses = 50_000;

/** Looks up what other nodes know of a turn's chain, and shares the turns that end on this node with them. */
export class ClusterCoordinator implements Coordinator {
  readonly #options: ClusterCoordinatorOptions;
  readonly #digests = new ContextDigests();
  readonly #stored = new Set<string>();

  constructor(options: ClusterCoordinatorOptions) {
    this.#options = options;
  }

  findChain(lookup: ChainLookup): Promise<ChainLookupResult | undefined> | undefined {
    const result = this.#lookUp(lookup);
    if (result === undefined) this.#options.counters.count('lookups', 'here');
    return result;
  }

  #lookUp({
    principal,
    asked,
    params,
    relay,
    downstream,
    hasHistory,
  }: ChainLookup): Promise<ChainLookupResult | undefined> | undefined {
    const { contexts } = this.#options;
    const named = textField(params, 'previous_response_id');
    if (named !== undefined) {
      if (hasHistory || relay.holds(named) || this.#stored.has(named)) return undefined;
      const tenant = this.#tenantOf(principal);
      return contexts
        .findNode(tenant, named)
        .then((location) => this.#resultAt(location, { principal, asked, downstream }));
    }
    const plan = planOf(relay, params);
    if (plan === undefined) return undefined;
    // The contexts that other nodes can have added: those longer than the one which this node can continue.
    const ends = this.#digests.ends(params, plan.name === 'delta' ? plan.from : 0);
    if (ends.length === 0) return undefined;
    const tenant = this.#tenantOf(principal);
    const local = plan.name === 'delta' ? plan : undefined;
    return contexts.findLongest(tenant, ends).then(async (location) => ({
      ...(await this.#resultAt(location, { principal, asked, downstream })),
      local,
    }));
  }

  upstreamHeaders(headers: Headers): Headers {
    return this.#options.tokens.upstreamHeaders(headers);
  }

  downstreamHeaders(headers: Headers, request: Headers): Headers {
    return this.#options.tokens.downstreamHeaders(headers, request);
  }

  backoffMs(principal: Principal, params: ChainLookup['params']): number {
    return this.#options.backoffs.backoffMs(this.#accountOf(principal), textField(params, 'model') ?? '');
  }

  onRefused({ options, isOnPeer, sent }: GatewayTurn, { status, headers }: { status: number; headers: Headers }): void {
    const seconds = Number(headers['retry-after']);
    // Where another gateway carried the turn, that gateway has shared the wait.
    if (status !== 429 || isOnPeer || !(seconds > 0)) return;
    const model = textField(sent.params, 'model') ?? '';
    this.#options.backoffs.add(this.#accountOf(options.principal), model, seconds * 1000);
  }

  onRead(turn: GatewayTurn): void {
    const { engine, found, isOnPeer, options } = turn;
    const { responseId, held, stored, continued, report } = engine;
    if (isOnPeer || responseId === undefined) return;
    if (found?.forget !== undefined && report.attempts.some(({ recovery }) => recovery === 'resend_in_full'))
      found.forget();
    const tenant = this.#tenantOf(options.principal);
    const digests = held === undefined ? [] : this.#digests.of(held);
    if (held?.stored ?? stored) {
      this.#rememberStored(responseId);
      return this.#options.contexts.add(tenant, responseId, digests);
    }
    const { relay } = options.lease;
    if (report.transport !== 'websocket' || !relay.holds(responseId)) return;
    void this.#options.leases.advance({
      tenant,
      responseId,
      continued: continued?.responseId ?? textField(turn.sent.params, 'previous_response_id'),
      taken: found?.chainLease as ChainLease | undefined,
      digests,
      holds: () => relay.holds(responseId),
    });
  }

  async #resultAt(
    location: ChainLocation | undefined,
    { principal, asked, downstream }: Pick<ChainLookup, 'principal' | 'asked' | 'downstream'>,
  ): Promise<ChainLookupResult | undefined> {
    const { contexts, peers, session } = this.#options;
    if (location === undefined) return undefined;
    if (location.name === 'stored') {
      const { responseId, from } = location;
      return { stored: { responseId, from }, forget: () => contexts.forget(location) };
    }
    const { lease: chainLease } = location;
    const isOverHttp = downstream !== 'websocket';
    // A warm-up exists on WebSockets alone.
    const isWarmUp = asked.params['generate'] === false;
    if (location.session === session.id || (isWarmUp && isOverHttp)) return { chainLease };
    const lease = await peers.offer(location, principal, isOverHttp ? 'sse' : 'auto');
    const returned = (): void => this.#options.counters.count('offers', 'returned');
    return { chainLease, peer: lease && { lease, asked, returned } };
  }

  #tenantOf(principal: Principal): Tenant {
    return this.#options.keys.tenant(principal, this.#options.upstream());
  }

  /** The key under which waits are shared: the upstream, and the account there. */
  #accountOf({ identity }: Principal): string {
    return JSON.stringify([this.#options.upstream(), identity]);
  }

  #rememberStored(responseId: string): void {
    this.#stored.add(responseId);
    if (this.#stored.size <= maxStoredResponses) return;
    const [oldest] = this.#stored;
    if (oldest !== undefined) this.#stored.delete(oldest);
  }
}

/** undefined also for an invalid request, which its turn refuses. */
function planOf(relay: ChainLookup['relay'], params: ChainLookup['params']): ReturnType<typeof relay.plan> {
  try {
    return relay.plan(params);
  } catch {
    return undefined;
  }
}
