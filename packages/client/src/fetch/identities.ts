import { TurnwireError } from '../protocol/errors.js';
import { Client } from '../turn/client.js';
import type { Clock, Timer } from '../clock.js';
import type { Settings } from '../settings.js';
import type { ClientStats } from '../turn/client.js';

/** An address, and all headers that say who asks. */
export interface Identity {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** What goes into the handshake besides, from whichever request is the first. */
  program?: Readonly<Record<string, string>>;
}

/** A client that is in use until it is released. */
export interface Lease {
  client: Client;
  release: () => void;
  /** What it remembers has grown: the answer was read to its end. */
  grown: () => void;
}

interface Entry {
  client: Client;
  running: number;
  idle: Timer | undefined;
}

/** Kept at once, in use or not; beyond it the one that was not used for longest is closed, but never one with a running turn. */
export const mostIdentities = 100;

/** An identity that was not used for so long is closed; in milliseconds. Its connections would be too old by then (P99). */
export const identityIdleMs = 3_600_000;

export interface IdentitiesOptions {
  settings: (identity: Identity) => Settings;
  clock: Clock;
  /** For the chains of all clients together. */
  maxChainBytes: number;
}

/** One client for each identity, so that no two share a connection or a chain (N3, X17). */
export class Identities {
  readonly #options: IdentitiesOptions;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Map<Client, Promise<void>>();
  /** What the clients have counted that are closed by now. */
  #past: Pick<ClientStats, 'dialled' | 'usage'> = { dialled: 0, usage: noUsage };
  #closed = false;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /** @throws TurnwireError `client_closed`, or `invalid_option` for an address or a header that cannot be used */
  take(identity: Identity): Lease {
    if (this.#closed) throw new TurnwireError('client_closed', 'this fetch is closed: create another one');
    const { clock, settings } = this.#options;
    const key = JSON.stringify([identity.url, identity.headers]);
    const entry = this.#entries.get(key) ?? {
      client: new Client(settings(identity), clock),
      running: 0,
      idle: undefined,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.running += 1;
    entry.idle?.cancel();
    this.#bound(() => this.#entries.size > mostIdentities);
    let released = false;
    const bound = (): void => {
      if (this.#entries.get(key) !== entry) return;
      this.#bound(() => this.#entries.size > mostIdentities || this.#chainBytes > this.#options.maxChainBytes);
    };
    return {
      grown: bound,
      client: entry.client,
      release: () => {
        if (released) return;
        released = true;
        entry.running -= 1;
        if (entry.running > 0 || this.#entries.get(key) !== entry) return;
        entry.idle = clock.after(identityIdleMs, () => this.#end(key, entry), { background: true });
        bound();
      },
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  get stats(): ClientStats {
    const total: ClientStats = { ...this.#past, connections: 0, busy: 0, chains: 0 };
    const clients = [...[...this.#entries.values()].map(({ client }) => client), ...this.#closing.keys()];
    for (const { stats } of clients) {
      total.connections += stats.connections;
      total.busy += stats.busy;
      total.dialled += stats.dialled;
      total.usage = sum(total.usage, stats.usage);
    }
    // No turn will continue what a client that is closing remembers.
    for (const { client } of this.#entries.values()) total.chains += client.stats.chains;
    return total;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [key, entry] of this.#entries) this.#end(key, entry);
    await Promise.all(this.#closing.values());
  }

  destroy(): void {
    void this.close();
    for (const client of this.#closing.keys()) client.destroy();
  }

  get #chainBytes(): number {
    let bytes = 0;
    for (const { client } of this.#entries.values()) bytes += client.chainBytes;
    return bytes;
  }

  /** The one in use now is the last, and stays. */
  #bound(exceeded: () => boolean): void {
    for (const [key, entry] of [...this.#entries].slice(0, -1)) {
      if (!exceeded()) return;
      if (entry.running === 0) this.#end(key, entry);
    }
  }

  #end(key: string, { client, idle }: Entry): void {
    idle?.cancel();
    this.#entries.delete(key);
    const closing = client.close().finally(() => {
      this.#closing.delete(client);
      const { dialled, usage } = client.stats;
      this.#past = { dialled: this.#past.dialled + dialled, usage: sum(this.#past.usage, usage) };
    });
    this.#closing.set(client, closing);
  }
}

type Usage = ClientStats['usage'];

const noUsage: Usage = { responses: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 };

function sum(a: Usage, b: Usage): Usage {
  return {
    responses: a.responses + b.responses,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
  };
}
