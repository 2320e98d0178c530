import { Refusal, retryAfterSeconds } from '../base/refusal.js';
import { textField } from './create.js';
import { checkIds, permitted } from './policy.js';
import { holdContext, itemsIn } from './restoring.js';
import { GatewayTurn } from './turn.js';
import type { Json } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { Lease, Relays } from '../upstream/relays.js';
import type { Create } from './create.js';
import type { Elsewhere } from './elsewhere.js';
import type { Histories } from './histories.js';
import type { Quotas } from './quotas.js';
import type { Registry } from './registry.js';
import type { Downstream } from './turn.js';

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
  histories: Histories;
  registry: Registry;
  quotas: Quotas;
  /** undefined for a gateway that is not part of a cluster. */
  elsewhere?: Elsewhere | undefined;
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
  #seeking = 0;
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
    if (this.#running.size + this.#seeking > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  cancelAll(): void {
    for (const turn of this.#running) turn.cancel();
  }

  /** @throws Refusal for a turn that does not begin */
  async begin({ principal, create: asked, headers, downstream, isRelayed }: TurnRequest): Promise<GatewayTurn> {
    const { relays, histories, registry, quotas, elsewhere, maxTurns, isReady, onSettled } = this.#options;
    const create = permitted(asked, principal);
    await checkIds(create.params, principal, registry);
    if (!isReady()) throw shuttingDown();
    if (this.#running.size >= maxTurns)
      throw new Refusal(`this gateway carries ${maxTurns} turns at once (limits.turns): try again`, {
        status: 503,
        code: 'gateway_busy',
        headers: { 'retry-after': '1' },
      });
    const restMs = elsewhere?.restMs(principal, create.params) ?? 0;
    if (restMs > 0) throw upstreamRests(restMs);
    const lease = relays().take(principal);
    const end = begun(quotas, principal, lease);
    const named = textField(create.params, 'previous_response_id');
    const history = named === undefined ? undefined : histories.find(principal.id, named);
    const sought = { principal, asked, params: create.params, relay: lease.relay, isHeld: history !== undefined };
    const seeking = isRelayed === true ? undefined : elsewhere?.find(sought);
    const found = seeking && (await this.#beginning(seeking));
    const turn = new GatewayTurn({
      principal,
      lease,
      create,
      headers: elsewhere?.headersUp(headers) ?? headers,
      headersDown: elsewhere && ((answered) => elsewhere.headersDown(answered, headers)),
      downstream,
      history,
      found,
      isHeldUpstream: history === undefined || history.stored || (named !== undefined && lease.relay.holds(named)),
      onBegun: (id) => {
        if (principal.policy !== undefined) registry.note(principal.id, [id]);
      },
      onRefused: (refused, refusal) => elsewhere?.refused(refused, refusal),
      onRead: (read) => {
        const { engine, sent } = read;
        elsewhere?.read(read);
        if (!read.isElsewhere) holdContext(histories, principal.id, engine, { create, sent, own: found?.own });
        if (principal.policy !== undefined)
          registry.note(principal.id, itemIds((engine.context ?? []).slice(itemsIn(sent.params['input']).length)));
      },
      onSettled: (settled) => {
        this.#running.delete(settled);
        const usage = settled.report.usage as { total_tokens?: unknown } | undefined;
        end(typeof usage?.total_tokens === 'number' ? usage.total_tokens : 0);
        onSettled(settled);
        this.#tellIdle();
      },
    });
    this.#running.add(turn);
    return turn;
  }

  async #beginning<Value>(seeking: Promise<Value>): Promise<Value> {
    this.#seeking += 1;
    const found = await seeking;
    this.#seeking -= 1;
    return found;
  }

  #tellIdle(): void {
    if (this.#running.size + this.#seeking === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function begun(quotas: Quotas, principal: Principal, lease: Lease): (tokens: number) => void {
  try {
    return quotas.begin(principal);
  } catch (error) {
    lease.release();
    throw error;
  }
}

function upstreamRests(ms: number): Refusal {
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
