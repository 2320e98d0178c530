import { setTimeout as delay } from 'node:timers/promises';
import { McpFailure, unansweredWithin } from './failure.js';
import type { Answer, Fields, Message } from './message.js';
import { isFields } from './message.js';
import type { Receiver, Transport } from './transports/transport.js';

/** The newest supported version of the protocol, and an older one for servers that refuse it. */
const protocolVersion = '2025-11-25';
const olderVersion = '2024-11-05';

const methodNotFound = -32601;
const invalidParams = -32602;

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** The time without a message of the server after which the request fails, in milliseconds. */
  idleMs: number;
  /** The time after which the request fails even if progress is reported. @default idleMs */
  totalMs?: number;
}

/** The requests of a server that this client answers, besides `ping`. */
export interface Serving {
  /** The capabilities that the server is told. */
  capabilities: Fields;
  /** The result of a request; undefined for an unsupported one. `signal` fires when no call waits for it any more. */
  serve: (method: string, params: Fields, signal: AbortSignal) => Promise<unknown> | undefined;
}

/** A request of the server that is being answered, and the calls that wait for it. */
interface Served {
  id: string | number;
  calls: ReadonlySet<Pending>;
  over: AbortController;
}

/** The time in which the last messages must be sent, in milliseconds. */
const tellMs = 1000;

/** A request that has no answer yet. */
interface Pending {
  settle(answer: Answer | Error): void;
  progress(): void;
  /** Stops the clock of the request until `goOn` is called: meanwhile the server waits for the user. */
  hold(): void;
  goOn(): void;
  /** Aborts the exchange that carries the request. */
  abandon(reason: Error): void;
  /** Settles when the request was sent; undefined once it was. */
  sending: Promise<void> | undefined;
}

/** The description that a server gives of itself. */
export interface Introduction {
  capabilities: Fields;
  instructions: string | undefined;
}

/**
 * A session with an MCP server: requests, their answers, and the server's own requests. Each request is settled once: by its answer, by the loss of the
 * connection, by its time limit, or by its signal. Only requests that are open at that moment are cancelled at the server.
 */
export class Connection implements Receiver {
  readonly #transport: Transport;
  readonly #serving: Serving | undefined;
  readonly #served = new Set<Served>();
  readonly #pending = new Map<string, Pending>();
  /** Messages without an answer that are being sent. */
  readonly #telling = new Set<Promise<void>>();
  #lastId = 0;
  /** The reason why the connection cannot be used any more. */
  #lost: McpFailure | undefined;
  #retired = false;

  private constructor(transport: Transport, serving: Serving | undefined) {
    this.#transport = transport;
    this.#serving = serving;
  }

  /** Connects and does the handshake. @throws McpFailure, or the reason of `signal`. */
  static async open(
    transport: Transport,
    { client, serving }: { client: { name: string; version: string }; serving?: Serving | undefined },
    signal: AbortSignal,
  ): Promise<{ connection: Connection; introduction: Introduction }> {
    const connection = new Connection(transport, serving);
    try {
      await transport.start(connection, signal);
      return { connection, introduction: await connection.#introduce(client, signal) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** False once the connection cannot carry another request. */
  get usable(): boolean {
    return this.#lost === undefined && !this.#retired;
  }

  /** The result as the server gave it. @throws McpFailure, or the reason of `signal`. */
  async request(
    method: string,
    params: Fields,
    { signal, idleMs, totalMs = idleMs }: RequestOptions,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#lost !== undefined) throw new McpFailure('connection_lost', this.#lost.message);
    this.#lastId += 1;
    const id = this.#lastId;
    const way = new AbortController();
    let idle: NodeJS.Timeout | undefined;
    let total: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const settle = (answer: Answer | Error): void => {
          if (!this.#pending.delete(String(id))) return;
          this.#endUnawaited();
          if (answer instanceof Error) reject(answer);
          else if (answer.kind === 'result') resolve(answer.result);
          else reject(failureOf(answer));
        };
        const giveUp = (reason: Error): void => {
          if (!this.#pending.has(String(id))) return;
          settle(reason);
          // The protocol does not allow to cancel the handshake.
          if (method !== 'initialize') this.#cancel(id, reason.message);
          way.abort(reason);
        };
        const outOfTime = (ms: number): void => giveUp(unansweredWithin(ms));
        const progress = (): void => {
          clearTimeout(idle);
          idle = setTimeout(() => outOfTime(idleMs), idleMs);
        };
        progress();
        let left = totalMs;
        let from = performance.now();
        const runs = (): void => {
          from = performance.now();
          total = setTimeout(() => outOfTime(totalMs), left);
        };
        runs();
        const hold = (): void => {
          clearTimeout(idle);
          clearTimeout(total);
          left -= performance.now() - from;
        };
        onAbort = () => giveUp(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
        signal?.addEventListener('abort', onAbort, { once: true });
        const message = { jsonrpc: '2.0', id, method, params: { ...params, _meta: { progressToken: id } } };
        const goOn = (): void => {
          progress();
          runs();
        };
        const pending: Pending = {
          settle,
          progress,
          hold,
          goOn,
          abandon: (reason) => way.abort(reason),
          sending: undefined,
        };
        this.#pending.set(String(id), pending);
        pending.sending = this.#exchange(message, way.signal)
          .catch((error: Error) => settle(error))
          .finally(() => {
            pending.sending = undefined;
          });
      });
    } finally {
      clearTimeout(idle);
      clearTimeout(total);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      if (this.#retired && this.#pending.size === 0) void this.close();
    }
  }

  /** Takes no more requests, and closes when the open ones are settled. */
  retire(): void {
    this.#retired = true;
    if (this.#pending.size === 0) void this.close();
  }

  async close(): Promise<void> {
    this.#fail(this.#lost ?? new McpFailure('unanswered', 'its connection was closed'));
    // Messages such as the cancellation of a call are sent first.
    await Promise.race([Promise.all(this.#telling), delay(tellMs, undefined, { ref: false })]);
    await this.#transport.close();
  }

  message(message: Message): void {
    if (message.kind === 'answer') return this.#answer(message.id, message.answer);
    const { method, params } = message;
    if (message.kind === 'request') this.#serve(message.id, method, params);
    else if (method === 'notifications/progress') this.#pending.get(String(params['progressToken']))?.progress();
    else if (method === 'notifications/cancelled')
      for (const { id, over } of this.#served) if (id === params['requestId']) over.abort();
  }

  lost(failure: McpFailure): void {
    if (this.#lost !== undefined) return;
    this.#lost = failure;
    const pending = [...this.#pending.values()];
    for (const each of pending) if (each.sending === undefined) each.settle(failure);
    // A request that is still being sent may be refused, and then it certainly did not run.
    void this.#closeAfter(pending.flatMap(({ sending }) => sending ?? []));
  }

  async #closeAfter(sending: readonly Promise<void>[]): Promise<void> {
    await Promise.race([Promise.all(sending), delay(tellMs, undefined, { ref: false })]);
    await this.close();
  }

  /** Sends a request and waits for its answer. @throws McpFailure also where no answer can come any more. */
  async #exchange(message: object, signal: AbortSignal): Promise<void> {
    await this.#transport.send(message, signal);
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#transport.exchanges) throw new McpFailure('unanswered', 'it ended its answer before the result had come');
  }

  #fail(failure: McpFailure): void {
    this.#lost = failure;
    for (const pending of this.#pending.values()) {
      pending.settle(failure);
      pending.abandon(failure);
    }
  }

  #answer(id: string | undefined, answer: Answer): void {
    // A message without an id can only be the answer to the one open request.
    const [only] = this.#pending.size === 1 ? this.#pending.values() : [];
    (id === undefined ? only : this.#pending.get(id))?.settle(answer);
  }

  #serve(id: string | number, method: string, params: Fields): void {
    // Noted before it is answered: the user may end the run at once.
    const asked: Served = { id, calls: new Set(this.#pending.values()), over: new AbortController() };
    this.#served.add(asked);
    const served = this.#serving?.serve(method, params, asked.over.signal);
    if (served !== undefined) return void this.#answerWith(served, asked);
    this.#served.delete(asked);
    const answer =
      method === 'ping'
        ? { result: {} }
        : { error: { code: methodNotFound, message: `${method} is not supported by this client` } };
    this.#emit({ jsonrpc: '2.0', id, ...answer });
  }

  /** Answers a request of the server. Never rejects. The clocks of the calls that wait for it stand still meanwhile. */
  async #answerWith(served: Promise<unknown>, asked: Served): Promise<void> {
    const open = (): Pending[] => [...this.#pending.values()].filter((call) => asked.calls.has(call));
    for (const call of open()) call.hold();
    try {
      this.#emit({ jsonrpc: '2.0', id: asked.id, result: await served });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#emit({ jsonrpc: '2.0', id: asked.id, error: { code: invalidParams, message } });
    } finally {
      this.#served.delete(asked);
      for (const call of open()) call.goOn();
    }
  }

  /** Withdraws questions of calls that are over. */
  #endUnawaited(): void {
    const open = new Set(this.#pending.values());
    for (const { calls, over } of this.#served) if (![...calls].some((call) => open.has(call))) over.abort();
  }

  #cancel(requestId: number, reason: string): void {
    this.#emit({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } });
  }

  /** Sends a message that needs no answer. Where it does not arrive, the open requests fail by themselves. */
  #emit(message: object): void {
    const told = this.#transport.send(message).catch(() => undefined);
    this.#telling.add(told);
    void told.then(() => this.#telling.delete(told));
  }

  async #introduce(client: { name: string; version: string }, signal: AbortSignal): Promise<Introduction> {
    const introduce = (version: string): Promise<unknown> =>
      this.request(
        'initialize',
        { protocolVersion: version, capabilities: this.#serving?.capabilities ?? {}, clientInfo: client },
        { signal, idleMs: handshakeMs },
      );
    const answer = await introduce(protocolVersion).catch((error: unknown) => {
      // By the protocol the server names a version of its own instead; some servers answer with an error.
      const aboutVersions = error instanceof McpFailure && error.kind === 'answered' && /version/i.test(error.message);
      if (!aboutVersions) throw error;
      return introduce(olderVersion);
    });
    const { protocolVersion: agreed, capabilities, instructions } = isFields(answer) ? answer : {};
    this.#transport.ready(typeof agreed === 'string' && agreed !== '' ? agreed : protocolVersion);
    await this.#transport
      .send({ jsonrpc: '2.0', method: 'notifications/initialized' }, signal)
      // A connection that cannot be used fails at the next request.
      .catch(() => signal.throwIfAborted());
    return {
      capabilities: isFields(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : undefined,
    };
  }
}

/** The longest handshake, in milliseconds. The caller's signal bounds the whole start; this bound is for callers without one. */
const handshakeMs = 120_000;

/** The longest error text of a server, in characters. */
const longestError = 64 * 1024;

function failureOf(answer: Exclude<Answer, { kind: 'result' }>): McpFailure {
  if (answer.kind === 'unreadable')
    return new McpFailure('unreadable', `its answer cannot be read: ${answer.text.slice(0, 2000).toWellFormed()}`);
  const { message, data } = answer;
  const detail = typeof data === 'string' ? data : data === undefined || data === null ? '' : JSON.stringify(data);
  const text = detail === '' || message.includes(detail) ? message : `${message} (${detail})`;
  return new McpFailure('answered', text.slice(0, longestError).toWellFormed());
}
