import { Refusal, retryAfterSeconds } from '../base/refusal.js';
import { textField } from './create.js';
import { checkIds, withPermittedModel } from './access/policy.js';
import { cacheContext, inputItems } from './history/full-request.js';
import { GatewayTurn } from './turn.js';
import type { Json } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { RelayLease, Relays } from '../upstream/relays.js';
import type { Create, Downstream } from './create.js';
import type { Coordinator } from './coordinator.js';
import type { HistoryCache } from './history/history-cache.js';
import type { Quotas } from './access/quotas.js';
import type { IdRegistry } from './access/id-registry.js';

export interface TurnRequest {
  principal: Principal;
  create: Create;
  headers: Readonly<Record<string, string>>;
  downstream: Downstream;
  /** True for a turn that another gateway has handed over, and counts itself. */
  isRelayed?: boolean | undefined;
}

export interface TurnsOptions {
  /** The relays of the configuration that is in force. */
  relays: () => Relays;
  histories: HistoryCache;
  registry: IdRegistry;
  quotas: Quotas;
  /** undefined for a gateway that is not part of a cluster. */
  coordinator?: Coordinator | undefined;
  /** The most turns at once, of all clients. */
  maxTurns: number;
  /** False while the gateway drains. */
  isReady: () => boolean;
  onBegun?: (() => void) | undefined;
  onSettled: (turn: GatewayTurn) => void;
}

/** Begins the turns of all clients, over HTTP and over WebSockets. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #running = new Set<GatewayTurn>();
  /** Turns that wait for a look-up at other gateways. */
  #pendingLookups = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Turns that have not ended. */
  get running(): number {
    return this.#running.size;
  }

  /** Turns that have not ended, counted by the name of their principal. */
  get runningByPrincipal(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { options } of this.#running) {
      const { name } = options.principal;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  /** Resolves when no turn runs. */
  async idle(): Promise<void> {
    if (this.#running.size + this.#pendingLookups > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  cancelAll(): void {
    for (const turn of this.#running) turn.cancel();
  }

  /** @throws Refusal for a turn that does not begin */
  async begin({ principal, create: asked, headers, downstream, isRelayed }: TurnRequest): Promise<GatewayTurn> {
    const { relays, histories, registry, quotas, coordinator, maxTurns, isReady, onSettled } = this.#options;
    const create = withPermittedModel(asked, principal);
    await checkIds(create.params, principal, registry);
    if (!isReady()) throw shuttingDown();
    if (this.#running.size >= maxTurns)
      throw new Refusal(`this gateway carries ${maxTurns} turns at once (limits.turns): try again`, {
        status: 503,
        code: 'gateway_busy',
        headers: { 'retry-after': '1' },
      });
    const backoffMs = coordinator?.backoffMs(principal, create.params) ?? 0;
    if (backoffMs > 0) throw upstreamBackoff(backoffMs);
    const lease = relays().take(principal);
    const end = isRelayed === true ? uncounted : beginQuota(quotas, principal, lease);
    const named = textField(create.params, 'previous_response_id');
    const history = named === undefined ? undefined : histories.find(principal.id, named);
    const lookup = {
      principal,
      asked,
      params: create.params,
      relay: lease.relay,
      downstream,
      hasHistory: history !== undefined,
    };
    const pendingLookup = isRelayed === true ? undefined : coordinator?.findChain(lookup);
    const found = pendingLookup && (await this.#awaitLookup(pendingLookup));
    const turn = new GatewayTurn({
      principal,
      lease,
      create,
      headers: coordinator?.upstreamHeaders(headers) ?? headers,
      downstreamHeaders: coordinator && ((answered) => coordinator.downstreamHeaders(answered, headers)),
      downstream,
      history,
      found,
      isHeldUpstream: history === undefined || history.stored || (named !== undefined && lease.relay.holds(named)),
      onBegun: (id) => {
        if (principal.policy !== undefined) registry.note(principal.id, [id]);
      },
      onRefused: (refused, refusal) => coordinator?.onRefused(refused, refusal),
      onRead: (read) => {
        const { engine, sent } = read;
        coordinator?.onRead(read);
        if (!read.isOnPeer) cacheContext(histories, principal.id, engine, { create, sent, local: found?.local });
        if (principal.policy !== undefined)
          registry.note(principal.id, itemIds((engine.context ?? []).slice(inputItems(sent.params['input']).length)));
      },
      onSettled: (settled) => {
        this.#running.delete(settled);
        const usage = settled.report.usage as { total_tokens?: unknown } | undefined;
        end(typeof usage?.total_tokens === 'number' ? usage.total_tokens : 0);
        onSettled(settled);
        this.#resolveIdle();
      },
    });
    this.#running.add(turn);
    return turn;
  }

  async #awaitLookup<Value>(lookup: Promise<Value>): Promise<Value> {
    this.#pendingLookups += 1;
    const found = await lookup;
    this.#pendingLookups -= 1;
    return found;
  }

  #resolveIdle(): void {
    if (this.#running.size + this.#pendingLookups === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function uncounted(): void {
  // The gateway that has handed the turn over counts it.
}

function beginQuota(quotas: Quotas, principal: Principal, lease: RelayLease): (tokens: number) => void {
  try {
    return quotas.begin(principal);
  } catch (error) {
    lease.release();
    throw error;
  }
}

function upstreamBackoff(ms: number): Refusal {
  const seconds = retryAfterSeconds(ms);
  return new Refusal(`the upstream has asked to wait: try again in ${seconds} s`, {
    status: 429,
    code: 'rate_limit_exceeded',
    headers: { 'retry-after': String(seconds) },
  });
}

export function shuttingDown(): Refusal {
  return new Refusal('this gateway is shutting down: try again', {
    status: 503,
    code: 'shutting_down',
    headers: { 'retry-after': '1' },
  });
}

function* itemIds(items: readonly Json[]): Iterable<string> {
  for (const item of items)
    if (typeof item === 'object' && item !== null && !Array.isArray(item) && typeof item['id'] === 'string')
      yield item['id'];
}
