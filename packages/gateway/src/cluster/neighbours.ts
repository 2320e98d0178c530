import { ContextDigests } from '@turnwire/client/relay';
import { textField } from '../relay/create.js';
import type { Backoffs } from './backoffs.js';
import type { Contexts, Place } from './contexts.js';
import type { Elsewhere, Sought } from '../relay/elsewhere.js';
import type { KnownElsewhere } from '../relay/known-elsewhere.js';
import type { GatewayTurn } from '../relay/turn.js';
import type { Principal } from '../upstream/principal.js';
import type { Keys, Tenant } from './keys.js';
import type { Leases, SeenLease } from './leases.js';
import type { Peers } from './peers.js';
import type { Session } from './session.js';
import type { Tally } from './tally.js';
import type { StickyTokens } from './sticky-tokens.js';

export interface NeighboursOptions {
  keys: Keys;
  contexts: Contexts;
  leases: Leases;
  peers: Peers;
  session: Session;
  backoffs: Backoffs;
  tokens: StickyTokens;
  tally: Tally;
  /** The base of the upstream's API. */
  upstream: () => string;
}

type Headers = Readonly<Record<string, string>>;

/** The most stored responses of this node that are remembered: a turn that names one of them needs no look-up. */
const mostStored = 50_000;

/** Looks up what other nodes know of a turn's chain, and tells them of the turns that end here. */
export class Neighbours implements Elsewhere {
  readonly #options: NeighboursOptions;
  readonly #digests = new ContextDigests();
  readonly #stored = new Set<string>();

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  find(sought: Sought): Promise<KnownElsewhere | undefined> | undefined {
    const asked = this.#ask(sought);
    if (asked === undefined) this.#options.tally.count('lookups', 'here');
    return asked;
  }

  #ask({ principal, asked, params, relay, isHeld }: Sought): Promise<KnownElsewhere | undefined> | undefined {
    const { contexts } = this.#options;
    const named = textField(params, 'previous_response_id');
    if (named !== undefined) {
      if (isHeld || relay.holds(named) || this.#stored.has(named)) return undefined;
      const tenant = this.#tenantOf(principal);
      return contexts.nodeOf(tenant, named).then((place) => this.#foundAt(place, principal, asked));
    }
    const plan = planOf(relay, params);
    if (plan === undefined) return undefined;
    // The contexts that other nodes can have added: those longer than the one which this node can continue.
    const ends = this.#digests.ends(params, plan.name === 'delta' ? plan.from : 0);
    if (ends.length === 0) return undefined;
    const tenant = this.#tenantOf(principal);
    const own = plan.name === 'delta' ? plan : undefined;
    return contexts.longest(tenant, ends).then(async (place) => ({
      ...(await this.#foundAt(place, principal, asked)),
      own,
    }));
  }

  headersUp(headers: Headers): Headers {
    return this.#options.tokens.asked(headers);
  }

  headersDown(headers: Headers, request: Headers): Headers {
    return this.#options.tokens.answered(headers, request);
  }

  restMs(principal: Principal, params: Sought['params']): number {
    return this.#options.backoffs.restMs(this.#accountOf(principal), textField(params, 'model') ?? '');
  }

  refused(
    { options, isElsewhere, sent }: GatewayTurn,
    { status, headers }: { status: number; headers: Headers },
  ): void {
    const seconds = Number(headers['retry-after']);
    // Where another gateway carried the turn, that gateway has shared the wait.
    if (status !== 429 || isElsewhere || !(seconds > 0)) return;
    const model = textField(sent.params, 'model') ?? '';
    this.#options.backoffs.asked(this.#accountOf(options.principal), model, seconds * 1000);
  }

  read(turn: GatewayTurn): void {
    const { engine, found, isElsewhere, options } = turn;
    const { responseId, held, stored, continued, report } = engine;
    if (isElsewhere || responseId === undefined) return;
    if (found?.forget !== undefined && report.attempts.some(({ recovery }) => recovery === 'resend_in_full'))
      found.forget();
    const tenant = this.#tenantOf(options.principal);
    const digests = held === undefined ? [] : this.#digests.of(held);
    if (held?.stored ?? stored) {
      this.#remember(responseId);
      return this.#options.contexts.keep(tenant, responseId, digests);
    }
    const { relay } = options.lease;
    if (report.transport !== 'websocket' || !relay.holds(responseId)) return;
    void this.#options.leases.moved({
      tenant,
      responseId,
      continued: continued?.responseId ?? textField(turn.sent.params, 'previous_response_id'),
      taken: found?.lease as SeenLease | undefined,
      digests,
      holds: () => relay.holds(responseId),
    });
  }

  async #foundAt(
    place: Place | undefined,
    principal: Principal,
    asked: Sought['asked'],
  ): Promise<KnownElsewhere | undefined> {
    const { contexts, peers, session } = this.#options;
    if (place === undefined) return undefined;
    if (place.name === 'stored') {
      const { responseId, from } = place;
      return { continues: { responseId, from }, forget: () => contexts.forget(place) };
    }
    const { lease } = place;
    // A warm-up exists on WebSockets alone, and nodes speak HTTP to each other.
    if (place.session === session.id || asked.params['generate'] === false) return { lease };
    const way = await peers.offer(place, principal);
    const returned = (): void => this.#options.tally.count('offers', 'returned');
    return { lease, node: way && { lease: way, asked, returned } };
  }

  #tenantOf(principal: Principal): Tenant {
    return this.#options.keys.tenant(principal, this.#options.upstream());
  }

  /** The key under which waits are shared: the upstream, and the account there. */
  #accountOf({ identity }: Principal): string {
    return JSON.stringify([this.#options.upstream(), identity]);
  }

  #remember(responseId: string): void {
    this.#stored.add(responseId);
    if (this.#stored.size <= mostStored) return;
    const [oldest] = this.#stored;
    if (oldest !== undefined) this.#stored.delete(oldest);
  }
}

/** undefined also for an invalid request, which its turn refuses. */
function planOf(relay: Sought['relay'], params: Sought['params']): ReturnType<typeof relay.plan> {
  try {
    return relay.plan(params);
  } catch {
    return undefined;
  }
}
