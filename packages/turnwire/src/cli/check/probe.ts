import { exchange, NoAnswer } from '../probe/http.js';
import { ProbeSocket, UpgradeRefused } from '../probe/socket.js';
import { endOf, readRest, turnOverSocket, turnOverSse } from '../probe/turn.js';
import { Trace } from '../probe/trace.js';
import { secretsOf } from '../probe/target.js';
import { Deviation, expect, NotApplicable } from './deviation.js';
import type { HttpAnswer, HttpRequest } from '../probe/http.js';
import type { SocketOptions } from '../probe/socket.js';
import type { Target } from '../probe/target.js';
import type { Json, Turn, WireEvent } from '../probe/turn.js';
import type { Profile } from './profile.js';
import type { Spending } from './spending.js';

/** A short turn without special fields. Many rules look at it, so it is run once. */
export interface PlainTurn {
  turn: Turn;
  /** The HTTP answer; undefined over a WebSocket. */
  answer: HttpAnswer | undefined;
  /** Over a WebSocket, the events after the terminal event. */
  rest: readonly WireEvent[];
  lines: readonly string[];
}

/** The state that all rules of one run share. */
export interface Run {
  target: Target;
  profile: Profile;
  model: string;
  spending: Spending;
  /** Ids of stored responses, to be deleted at the end. */
  stored: Set<string>;
  plain: Map<Turn['transport'], Promise<PlainTurn>>;
}

/** The connection of a rule to the server: it traces each exchange, and counts the tokens of each turn. */
export class Probe {
  readonly run: Run;
  readonly trace: Trace;
  readonly #sockets = new Set<ProbeSocket>();
  /** The latest request over HTTP, which the report repeats as a command. */
  lastRequest: HttpRequest | undefined;
  usesSocket = false;

  constructor(run: Run) {
    this.run = run;
    this.trace = new Trace(secretsOf(run.target));
  }

  get profile(): Profile {
    return this.run.profile;
  }

  /** A create with the fields that every create of a run has. */
  create(fields: Json = {}): Json {
    const { model, profile } = this.run;
    return {
      model,
      input: 'Say the word ready, and nothing else.',
      store: false,
      ...(profile.outputLimit ? { max_output_tokens: this.run.spending.outputTokensPerTurn } : {}),
      ...fields,
    };
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    this.lastRequest = request;
    try {
      return await exchange(this.run.target, this.trace, request);
    } catch (error) {
      if (error instanceof NoAnswer)
        throw new Deviation(`there was no answer to ${request.method}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** POSTs a body to `responses` and reads the whole answer. */
  async post(body: unknown, options: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.request({ method: 'POST', path: 'responses', body: text, ...options });
    this.trace.received(answer.body);
    this.#account(answer.json);
    return answer;
  }

  /** Runs a turn over SSE. */
  async stream(
    create: Json,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ turn: Turn; answer: HttpAnswer }> {
    const body = JSON.stringify({ ...create, stream: true });
    this.lastRequest = { method: 'POST', path: 'responses', body, headers };
    try {
      const streamed = await turnOverSse(this.run.target, this.trace, create, headers);
      this.#account(endOf(streamed.turn));
      return streamed;
    } catch (error) {
      if (error instanceof NoAnswer)
        throw new Deviation(`there was no answer to a streamed POST: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /**
   * Opens a WebSocket. Where the server opens none at all, the rules of the chapter "connecting" report that and the other rules are skipped; once one has
   * opened, later ones must open too.
   */
  async connect(options: SocketOptions = {}): Promise<ProbeSocket> {
    this.usesSocket = true;
    try {
      const socket = await ProbeSocket.open(this.run.target, this.trace, options);
      this.#sockets.add(socket);
      return socket;
    } catch (error) {
      if (error instanceof UpgradeRefused || error instanceof NoAnswer)
        throw this.#sockets.size === 0
          ? new NotApplicable(`no WebSocket opens (${error.message})`, { cause: error })
          : new Deviation(`another WebSocket does not open: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** Runs a turn on a socket. @throws Deviation for a turn without a terminal event */
  async turn(socket: ProbeSocket, create: Json): Promise<Turn> {
    const turn = await turnOverSocket(socket, create);
    this.#account(endOf(turn));
    expect(turn.broken === undefined, `a create has no answer: ${turn.broken ?? ''}`);
    return turn;
  }

  /** Runs a turn on a socket that has to succeed. @throws Deviation */
  async success(socket: ProbeSocket, create: Json): Promise<Json> {
    const turn = await this.turn(socket, create);
    return responseOf(turn);
  }

  /** Counts the usage of a response that was read without the methods above, and notes it for deletion. */
  bill(response: Json): void {
    this.#account(response);
  }

  /** The plain turn over one transport. @throws NotApplicable where it did not succeed */
  async plain(transport: Turn['transport']): Promise<PlainTurn> {
    const rule = transport === 'SSE' ? 'sse/answers' : 'transports/websocket-answers';
    const plain = await this.tryPlain(transport).catch((error: unknown) => {
      if (error instanceof Deviation) return undefined;
      throw error;
    });
    if (plain === undefined || plain.turn.broken !== undefined || !succeeded(plain.turn))
      throw new NotApplicable(`there is no answer to look at: see ${rule}`);
    return plain;
  }

  /** The plain turns over each transport of the server. */
  async plainTurns(): Promise<readonly PlainTurn[]> {
    const sse = await this.plain('SSE');
    try {
      return [sse, await this.plain('WebSocket')];
    } catch (error) {
      if (error instanceof NotApplicable) return [sse];
      throw error;
    }
  }

  /** The plain turn over one transport, whether it succeeded or not. */
  async tryPlain(transport: Turn['transport']): Promise<PlainTurn> {
    const known = this.run.plain.get(transport);
    const plain = known ?? this.#makePlain(transport);
    if (known === undefined) {
      this.run.plain.set(transport, plain);
      plain.catch(() => undefined);
    }
    const made = await plain;
    this.trace.include(made.lines);
    if (transport === 'WebSocket') this.usesSocket = true;
    else this.lastRequest = this.#streamed(this.create());
    return made;
  }

  /** Ends the connections that a rule has left open. */
  dispose(): void {
    for (const socket of this.#sockets) socket.leave();
  }

  async #makePlain(transport: Turn['transport']): Promise<PlainTurn> {
    const own = new Probe(this.run);
    try {
      if (transport === 'SSE') {
        const { turn, answer } = await own.stream(own.create());
        return { turn, answer, rest: [], lines: own.trace.lines };
      }
      const socket = await own.connect();
      const turn = await turnOverSocket(socket, own.create());
      own.bill(endOf(turn));
      const rest = turn.broken === undefined ? await readRest(socket) : [];
      await socket.close();
      return { turn, answer: undefined, rest, lines: own.trace.lines };
    } finally {
      own.dispose();
    }
  }

  #streamed(create: Json): HttpRequest {
    return { method: 'POST', path: 'responses', body: JSON.stringify({ ...create, stream: true }) };
  }

  #account(response: unknown): void {
    if (typeof response !== 'object' || response === null) return;
    this.run.spending.spend(response);
    const { id, store } = response as { id?: unknown; store?: unknown };
    if (typeof id === 'string' && store === true) this.run.stored.add(id);
  }
}

export function succeeded(turn: Turn): boolean {
  return turn.events.some(({ type }) => /^response\.(?:completed|incomplete|done)$/.test(type));
}

/** The response at the end of a turn. @throws Deviation where the turn did not succeed */
export function responseOf(turn: Turn): Json {
  expect(turn.broken === undefined, `a create has no answer: ${turn.broken ?? ''}`);
  const last = turn.events.at(-1);
  expect(succeeded(turn), `a turn that should succeed ended with ${JSON.stringify(last?.body ?? null).slice(0, 300)}`);
  return endOf(turn);
}
