import diagnostics from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { itemsOf } from '../server/items.js';
import type { Client, ResponseEvent, Turn, TurnOptions } from '@turnwire/client';
import type { Json } from '../server/events.js';
import type { FaultServer } from '../server/server.js';
import type { Front } from '../gateway/front.js';
import type { ScenarioRecord, TurnRecord } from './record.js';

const strayEvents = ['unhandledRejection', 'uncaughtException', 'warning'] as const;
const channels = ['dial', 'open', 'send', 'first-event', 'fallback', 'rotate', 'close'].map(
  (name) => `turnwire:${name}`,
);

export interface Bounds {
  budgetMs: number;
  maxAttempts: number;
  maxSockets: number;
  secret: string;
  /** A part of what was answered did not come from the server. @default false */
  handwritten?: boolean;
}

/**
 * Sees what a client does without being noticed: its turns, what they hand over and how they end, what it says and what it leaves.
 * Nothing is delayed by that: the promises and events are the client's own.
 */
export class Witness {
  readonly #bounds: Bounds;
  readonly #clients: Client[] = [];
  #busy = 0;
  #warmUps = 0;
  readonly #watched: { turn: Turn; seen: Omit<TurnRecord, 'report'>; signal: AbortSignal | undefined }[] = [];
  readonly #strays: unknown[] = [];
  readonly #said: string[] = [];
  readonly #handles = handles();
  readonly #listeners = processListeners();
  /** How often the tool of each call was run. */
  readonly effects = new Map<string, number>();

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    for (const event of strayEvents) process.on(event, this.#onStray);
    for (const channel of channels) diagnostics.subscribe(channel, this.#onMessage);
  }

  readonly #onStray = (stray: unknown): void => void this.#strays.push(stray);
  readonly #onMessage = (message: unknown): void => this.#keep(message);

  get handlesAreGone(): boolean {
    return handles() <= this.#handles;
  }

  watch(client: Client): void {
    this.#clients.push(client);
    const warm = client.warm.bind(client);
    client.warm = (params) => {
      this.#warmUps += 1;
      return warm(params);
    };
    const begin = client.turn.bind(client);
    client.turn = (params, options) => this.#note(params, options, () => begin(params, options));
    const converse = client.conversation.bind(client);
    client.conversation = (defaults) => {
      const conversation = converse(defaults);
      const next = conversation.turn.bind(conversation);
      conversation.turn = (params, options) => {
        // The input that a caller without conversations would have given.
        const input = [...conversation.items, ...itemsOf(params.input)];
        return this.#note({ ...defaults, ...params, input }, options, () => next(params, options));
      };
      return conversation;
    };
  }

  #note(params: unknown, options: TurnOptions | undefined, begin: () => Turn): Turn {
    const seen = { params: snapshot(params), events: [] as Json[], ends: [] as TurnRecord['ends'], late: 0 };
    const turn = begin();
    const signal: unknown = options?.signal;
    this.#watched.push({ turn, seen, signal: signal instanceof AbortSignal ? signal : undefined });
    observe(turn, seen);
    return turn;
  }

  warned(message: string): void {
    this.#said.push(message);
  }

  failed(error: unknown): void {
    this.#keep(error);
  }

  /** Listens no more. */
  stop(): void {
    for (const event of strayEvents) process.removeListener(event, this.#onStray);
    for (const channel of channels) diagnostics.unsubscribe(channel, this.#onMessage);
  }

  /** Ends the clients: from then on no connection of theirs carries a turn. */
  destroy(): void {
    for (const client of this.#clients) client.destroy();
    this.#busy = this.#sum('busy');
  }

  /** To be called when all is over, and the clients have ended: it stops watching. */
  testify(server: Pick<FaultServer, 'peers' | 'exchanges'>, front?: Front): ScenarioRecord {
    this.stop();
    const turns = this.#watched.map(({ turn, seen }) => ({ ...seen, report: turn.report }));
    for (const { report } of turns) this.#keep(report);
    for (const client of this.#clients) this.#keep(client);
    const { secret, budgetMs, maxAttempts, maxSockets, handwritten = false } = this.#bounds;
    const signals = this.#watched.flatMap(({ signal }) => (signal === undefined ? [] : [signal]));
    return {
      turns,
      exchanges: server.exchanges,
      warmUps: this.#warmUps,
      handwritten: handwritten
        ? 'all'
        : new Set(server.peers.filter((peer) => peer.handwritten).map(({ number }) => number)),
      budgetMs,
      maxAttempts,
      effects: this.effects,
      relayed: front && { turns: front.turns, attempts: front.attempts },
      leaks: {
        busy: this.#busy,
        sockets: this.#sum('connections'),
        maxSockets,
        handles: [this.#handles, handles()],
        listeners: [
          this.#listeners,
          processListeners() + signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0),
        ],
      },
      strays: this.#strays,
      secret,
      said: [
        ...this.#said,
        ...(front?.said ?? []),
        ...server.peers.flatMap(({ received, heads }) => [received, ...heads.map(({ path }) => path)]),
      ],
    };
  }

  #sum(count: 'busy' | 'connections'): number {
    return this.#clients.reduce((total, { stats }) => total + stats[count], 0);
  }

  #keep(thing: unknown): void {
    this.#said.push(inspect(thing, { depth: 8, getters: true }));
  }
}

function observe(turn: Turn, seen: Omit<TurnRecord, 'report'>): void {
  const iterate = turn[Symbol.asyncIterator].bind(turn);
  turn[Symbol.asyncIterator] = () => {
    const events = iterate();
    const watched = (pull: Promise<IteratorResult<ResponseEvent, undefined>>): typeof pull => {
      void note(pull, seen);
      return pull;
    };
    return {
      next: () => watched(events.next()),
      return: () => events.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    };
  };
}

async function note(
  pull: Promise<IteratorResult<ResponseEvent, undefined>>,
  seen: Omit<TurnRecord, 'report'>,
): Promise<void> {
  try {
    const { done, value } = await pull;
    if (done === true) seen.ends.push('done');
    else if (seen.ends.length > 0) seen.late += 1;
    else seen.events.push(value as unknown as Json);
  } catch {
    seen.ends.push('error');
  }
}

/** The sockets and timers that would keep this process alive: those that are not unref'd. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout/.test(kind)).length;
}

/** Without those that a witness itself has. */
function processListeners(): number {
  return ['exit', 'beforeExit', 'SIGTERM', 'SIGINT', 'SIGCONT'].reduce(
    (sum, event) => sum + process.listenerCount(event),
    0,
  );
}

/** Of requests that cannot be written as JSON there is nothing to compare. */
function snapshot(params: unknown): Json {
  try {
    return (JSON.parse(JSON.stringify(params)) as Json | null) ?? {};
  } catch {
    return {};
  }
}
