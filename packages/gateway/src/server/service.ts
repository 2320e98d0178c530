import { RelayBodies } from '@turnwire/client/relay';
import { isLoopback } from '../base/loopback.js';
import { Activity } from '../admin/activity.js';
import { maxListedIdentities, stateOf } from '../admin/state.js';
import { Refusal, answerOf } from '../base/refusal.js';
import { readCreate } from '../relay/create.js';
import { HistoryCache } from '../relay/history/history-cache.js';
import { readBody } from '../relay/http/body.js';
import { answerWhole, answerWithEvents } from '../relay/http/event-stream.js';
import { answerWithJson } from '../relay/http/json-answer.js';
import { LocalQuotas } from '../relay/access/quotas.js';
import { LocalIdRegistry } from '../relay/access/id-registry.js';
import { recordOf } from '../relay/turn-record.js';
import { Turns } from '../relay/turns.js';
import { passAnswerOn } from '../upstream/pass-through.js';
import { Cluster } from '../cluster/cluster.js';
import { isFromNode, offerPath, relayedHeader } from '../cluster/peers.js';
import { notTakenHeader } from '../relay/turn.js';
import { preflight } from './settings/access.js';
import { Metrics } from './metrics.js';
import { routeOf } from './route.js';
import { serveScoped } from './scope.js';
import { ActiveConfig } from './settings/active-config.js';
import { Upgrades } from './upgrades.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AdminState } from '../admin/state.js';
import type { Config } from '../config/schema.js';
import type { HistoryCacheOptions } from '../relay/history/history-cache.js';
import type { Quotas } from '../relay/access/quotas.js';
import type { IdRegistry } from '../relay/access/id-registry.js';
import type { RequestHeaders } from '../upstream/headers.js';
import type { Principal } from '../upstream/principal.js';
import type { PassedRequest } from '../upstream/pass-through.js';
import type { CheckedConfig } from './settings/check.js';
import type { TurnLog } from './turn-log.js';

export interface ServiceOptions {
  checked: CheckedConfig;
  onWarning: (message: string) => void;
  log: TurnLog | undefined;
}

/** Serves every request and upgrade that the listener takes. */
export class Service {
  readonly #onWarning: (message: string) => void;
  readonly #bodies: RelayBodies;
  readonly #histories: HistoryCache;
  readonly #registry: IdRegistry;
  /** undefined for a gateway that is not part of a cluster. */
  readonly #cluster: Cluster | undefined;
  readonly #quotas: Quotas;
  readonly #metrics = new Metrics();
  readonly #activity = new Activity();
  readonly #turns: Turns;
  readonly #upgrades: Upgrades;
  #active: ActiveConfig;
  #isReady = true;

  constructor({ checked, onWarning, log }: ServiceOptions) {
    const { config, clusterSecrets } = checked;
    this.#onWarning = onWarning;
    this.#cluster =
      config.cluster &&
      clusterSecrets &&
      new Cluster({
        config: config.cluster,
        ...clusterSecrets,
        limits: config.limits,
        upstream: () => this.#active.config.upstream,
        counters: this.#metrics.ofCluster(),
        onWarning,
      });
    this.#registry = this.#cluster?.registry ?? new LocalIdRegistry();
    this.#quotas = this.#cluster?.quotas ?? new LocalQuotas();
    this.#active = new ActiveConfig(checked, onWarning);
    this.#bodies = new RelayBodies(config.limits.chain_bytes / 2);
    this.#histories = new HistoryCache(budgetOf(config));
    const isReady = (): boolean => this.#isReady;
    this.#turns = new Turns({
      relays: () => this.#active.relays,
      histories: this.#histories,
      registry: this.#registry,
      quotas: this.#quotas,
      coordinator: this.#cluster?.coordinator,
      maxTurns: config.limits.turns,
      isReady,
      onSettled: (turn) => {
        const record = recordOf(turn);
        this.#metrics.settled(turn);
        this.#activity.settled(record);
        if (this.#active.config.log === 'turns') log?.settled(record);
      },
    });
    this.#upgrades = new Upgrades({
      limits: config.limits,
      bodies: this.#bodies,
      turns: this.#turns,
      quotas: this.#quotas,
      keepaliveMs: config.keepalive_ms,
      isReady,
      principal: (identity) => this.#active.principals.of(identity),
      onRefused: (status) => this.#metrics.refused(status),
    });
  }

  /** Puts another configuration in force; running turns end under the one that they began with. */
  apply(checked: CheckedConfig): void {
    if (JSON.stringify(checked.config.cluster) !== JSON.stringify(this.#active.config.cluster))
      this.#onWarning('turnwire: new cluster settings need a restart: the gateway keeps its present ones');
    this.#active = this.#active.changedTo(checked);
    this.#histories.setBudgets(budgetOf(checked.config));
  }

  /** Answers a request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The next request of this connection should reach another instance.
    if (!this.#isReady) response.setHeader('connection', 'close');
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.destroyed) return;
      const refusal = this.#refusalOf(error);
      this.#metrics.refused(refusal.status);
      answerWhole(response, answerOf(refusal), isFromNode(request) ? { [notTakenHeader]: '1' } : {});
    }
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrades.take(request, socket, head, () => {
      const { rules } = this.#active;
      const { name } = routeOf(request.url ?? '');
      checkHead(request);
      this.#checkSender(request);
      if (name !== 'turns')
        throw new Refusal('only /responses takes an upgrade', { status: 404, code: 'unknown_path' });
      return { headers: rules.split(request.headers), isRelayed: isFromNode(request) };
    });
  }

  /** The state that the admin page shows. */
  get state(): AdminState {
    const { config, relays } = this.#active;
    return stateOf(this.#activity, {
      upstream: new URL(config.upstream.base_url).origin,
      ready: this.#isReady,
      clientSockets: this.#upgrades.size,
      historyBytes: this.#histories.bytes,
      cluster: this.#cluster,
      principals: (config.principals ?? []).map(({ name }) => name),
      running: this.#turns.runningByPrincipal,
      all: relays.stats,
      newest: relays.newest(maxListedIdentities),
    });
  }

  /** Takes no more turns, and waits for the running ones. */
  async drain(): Promise<void> {
    this.#isReady = false;
    this.#cluster?.drain();
    this.#upgrades.drain();
    await this.#turns.idle();
    await Promise.all([this.#active.close(), this.#cluster?.close()]);
  }

  destroy(): void {
    this.#isReady = false;
    this.#cluster?.destroy();
    this.#turns.cancelAll();
    this.#upgrades.destroy();
    this.#bodies.close();
    this.#histories.clear();
    this.#active.destroy();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeOf(request.url ?? '');
    if (route.name === 'operations') return this.#operate(route.path, request, response);
    const { access, rules, principals } = this.#active;
    checkHead(request);
    this.#checkSender(request);
    if (this.#cluster !== undefined && request.url?.startsWith(`${offerPath}?`) === true)
      return this.#answerOffer(request, response);
    const cors = access.headers(request);
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
    if (request.method === 'OPTIONS' && cors['vary'] !== undefined)
      return void response.writeHead(204, preflight).end();
    const headers = rules.split(request.headers);
    const principal = principals.of(headers.identity);
    if (route.name === 'turns') return this.#take(request, response, principal, headers);
    await this.#pass(request, response, principal, route, headers);
  }

  async #operate(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    if (path === '/livez') return answer(200, 'ok\n');
    if (path === '/readyz') return this.#isReady ? answer(200, 'ok\n') : answer(503, 'draining\n');
    const { access, config } = this.#active;
    const { metrics } = config;
    access.check(request);
    const isLocal = isLoopback(request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '');
    if (metrics === 'off' || (metrics === 'local' && !isLocal)) return answer(404, 'not served\n');
    const { type, text } = await this.#metrics.text({
      ...this.#active.relays.stats,
      turns: this.#turns.running,
      sockets: this.#upgrades.size,
      historyBytes: this.#histories.bytes,
    });
    answer(200, text, type);
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    { request: headers }: RequestHeaders,
  ): Promise<void> {
    if (request.method === 'GET')
      throw new Refusal('this path takes POST, or GET with an upgrade to websocket', {
        status: 426,
        code: 'upgrade_required',
        headers: { upgrade: 'websocket', connection: 'upgrade', allow: 'POST' },
      });
    if (request.method !== 'POST')
      throw new Refusal(`this path takes POST, not ${request.method}`, {
        status: 405,
        code: 'method_not_allowed',
        headers: { allow: 'POST' },
      });
    const { config } = this.#active;
    const isRelayed = isFromNode(request);
    if (!isRelayed) await this.#quotas.check(principal);
    const create = readCreate(this.#bodies, await readBody(request, response, config.limits.body_bytes));
    if (response.destroyed) return;
    const downstream = create.params['stream'] === true ? 'sse' : 'json';
    const turn = await this.#turns.begin({ principal, create, headers, downstream, isRelayed });
    // The client may have left while the turn was prepared, and its `close` event was emitted before anybody listened.
    if (response.destroyed) return turn.cancel();
    if (downstream === 'sse') await answerWithEvents(turn, response, config.keepalive_ms);
    else await answerWithJson(turn, response);
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    { path, query }: { path: string; query: string },
    headers: RequestHeaders,
  ): Promise<void> {
    const { config, passThrough } = this.#active;
    const left = new AbortController();
    response.once('close', () => left.abort());
    const { method = 'GET' } = request;
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const passed: PassedRequest = {
      method,
      path: path + query,
      headers: {
        ...headers.request,
        ...bodyHeaders(request),
        ...principal.identity,
        ...(await principal.credential?.()),
        ...config.upstream.headers,
      },
      body: hasBody ? request : undefined,
      signal: left.signal,
    };
    const { policy } = principal;
    if (policy === undefined) {
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
      return passAnswerOn(await passThrough.ask(passed), response);
    }
    const options = {
      passThrough,
      registry: this.#registry,
      quotas: this.#quotas,
      bodies: this.#bodies,
      bodyBytes: config.limits.body_bytes,
      paths: config.paths,
    };
    await serveScoped(options, { principal, policy, path, query, request, response, passed });
  }

  /**
   * @throws Refusal (403) for a request of a web page that may not use the gateway, and for one that claims to come from a node of the cluster and does not
   * prove it, or that is for another node
   */
  #checkSender(request: IncomingMessage): void {
    if (!isFromNode(request)) return this.#active.access.check(request);
    const { headers } = request;
    if (this.#cluster?.isRelayed(String(headers[relayedHeader])) === true) return;
    throw new Refusal('this request does not come from another gateway of this deployment', {
      status: 403,
      code: 'forbidden',
    });
  }

  /** Answers another node that asks whether this one takes a turn. */
  #answerOffer(request: IncomingMessage, response: ServerResponse): void {
    const asked = new URL(request.url ?? '', 'http://node').searchParams.get('response') ?? '';
    const isTaken = isFromNode(request) && this.#isReady && this.#cluster?.canContinue(asked) === true;
    response.writeHead(isTaken ? 204 : 409).end();
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    this.#onWarning(`turnwire: a request failed: ${error instanceof Error ? error.message : String(error)}`);
    return new Refusal('the gateway has failed', { status: 500, code: 'gateway_error' });
  }
}

/** @throws Refusal for a head that Node lets pass, and that another server reads in another way. */
function checkHead({ headers, rawHeaders, httpVersion }: IncomingMessage): void {
  const { host, 'transfer-encoding': coding } = headers;
  if (host === undefined && httpVersion === '1.1')
    throw new Refusal('the request has no host', { code: 'invalid_http', headers: { connection: 'close' } });
  // Node takes the first one.
  if (rawHeaders.filter((name, index) => index % 2 === 0 && name.length === 4 && /^host$/i.test(name)).length > 1)
    throw new Refusal('the request has more than one host', { code: 'invalid_http', headers: { connection: 'close' } });
  // Node takes the frames of `chunked` off, and leaves the body in the other coding.
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return;
  throw new Refusal('the only transfer-encoding that this gateway takes is chunked: name others as content-encoding', {
    status: 501,
    code: 'unsupported_transfer_encoding',
    headers: { connection: 'close' },
  });
}

/** The headers that describe a body, for a body that is passed on unchanged. */
function bodyHeaders({ headers }: IncomingMessage): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ['accept-encoding', 'content-encoding', 'content-length', 'content-type'] as const) {
    const value = headers[name];
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}

function budgetOf({ restore }: Config): HistoryCacheOptions {
  if (restore === 'off') return { maxBytes: 0, principalBytes: 0 };
  const { max_bytes: maxBytes, principal_bytes: principalBytes = maxBytes / 4 } = restore;
  return { maxBytes, principalBytes };
}
