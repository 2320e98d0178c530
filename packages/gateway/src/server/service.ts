import { RelayBodies } from '@turnwire/client/relay';
import { Refusal, answerOf } from '../base/refusal.js';
import { readBody } from '../relay/body.js';
import { readCreate } from '../relay/create.js';
import { answerWhole, answerWithEvents } from '../relay/event-stream.js';
import { answerWithJson } from '../relay/json-answer.js';
import { GatewayTurn } from '../relay/turn.js';
import { HeaderRules } from '../upstream/headers.js';
import { Passage, handOn } from '../upstream/passage.js';
import { Relays } from '../upstream/relays.js';
import { Access, preflight } from './access.js';
import { routeOf } from './route.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/schema.js';
import type { RequestHeaders } from '../upstream/headers.js';
import type { Principal } from '../upstream/principal.js';
import type { Principals } from './principals.js';

export interface ServiceOptions {
  config: Config;
  principals: Principals;
  onWarning: (message: string) => void;
  /** False while the gateway drains. */
  isReady: () => boolean;
}

/** Everything that a request meets behind the listener. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #access: Access;
  readonly #rules: HeaderRules;
  readonly #relays: Relays;
  readonly #passage: Passage;
  readonly #bodies: RelayBodies;
  readonly #running = new Set<GatewayTurn>();

  constructor(options: ServiceOptions) {
    const { upstream, listen, limits } = options.config;
    this.#options = options;
    this.#access = new Access(listen);
    this.#rules = new HeaderRules(upstream.identity_headers);
    this.#relays = new Relays({ upstream, limits, onWarning: options.onWarning });
    this.#passage = new Passage(upstream);
    this.#bodies = new RelayBodies(limits.chain_bytes / 2);
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.destroyed) return;
      const refusal =
        error instanceof Refusal
          ? error
          : new Refusal('the gateway has failed', { status: 500, code: 'gateway_error' });
      if (!(error instanceof Refusal)) this.#options.onWarning(`a request failed: ${String(error)}`);
      answerWhole(response, answerOf(refusal));
    }
  }

  async close(): Promise<void> {
    this.#bodies.close();
    await this.#relays.close();
    await this.#passage.close();
  }

  destroy(): void {
    this.#bodies.close();
    this.#relays.destroy();
    void this.#passage.close();
  }

  /** Turns that have not ended. */
  get running(): number {
    return this.#running.size;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeOf(request.url ?? '');
    if (route.name === 'operations') return this.#operate(route.path, response);
    this.#access.check(request);
    const cors = this.#access.headers(request);
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
    if (request.method === 'OPTIONS' && cors['vary'] !== undefined)
      return void response.writeHead(204, preflight).end();
    const headers = this.#rules.split(request.headers);
    const principal = this.#options.principals.of(headers.identity);
    if (route.name === 'turns') return this.#take(request, response, principal, headers);
    await this.#pass(request, response, principal, route.path + route.query, headers);
  }

  #operate(path: string, response: ServerResponse): void {
    const ok = path === '/livez' || (path === '/readyz' && this.#options.isReady());
    response.writeHead(ok ? 200 : path === '/readyz' ? 503 : 404, {
      'content-type': 'text/plain',
      'cache-control': 'no-store',
    });
    response.end(ok ? 'ok\n' : 'not ready\n');
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    headers: RequestHeaders,
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
    const { config } = this.#options;
    const create = readCreate(this.#bodies, await readBody(request, response, config.limits.body_bytes));
    if (response.destroyed) return;
    const streams = create.params['stream'] === true;
    const turn = new GatewayTurn({
      principal,
      lease: this.#relays.take(principal.identity),
      create,
      headers: headers.request,
      streams,
      onSettled: () => this.#running.delete(turn),
    });
    this.#running.add(turn);
    if (streams) await answerWithEvents(turn, response, config.keepalive_ms);
    else await answerWithJson(turn, response);
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    path: string,
    headers: RequestHeaders,
  ): Promise<void> {
    const left = new AbortController();
    response.once('close', () => left.abort());
    const { method = 'GET' } = request;
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
    const bodyHeaders: Record<string, string> = {};
    for (const name of ['accept-encoding', 'content-encoding', 'content-length', 'content-type'] as const) {
      const value = request.headers[name];
      if (typeof value === 'string') bodyHeaders[name] = value;
    }
    const answer = await this.#passage.ask({
      method,
      path,
      headers: { ...headers.request, ...bodyHeaders, ...principal.identity, ...this.#options.config.upstream.headers },
      body: hasBody ? request : undefined,
      signal: left.signal,
    });
    await handOn(answer, response);
  }
}
