import { identityIdleMs, maxIdentities, maxSingleTurnIdentities, singleTurnIdleMs } from '../base/bounds.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { Client } from '../turn/client.js';
import { credentialHeaders } from './request/headers.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Settings } from '../settings/settings.js';
import type { ClientStats } from '../turn/client.js';

/** An identity: the address of the API, with all headers that say who asks. */
export interface Identity {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Further headers of the handshake, taken from the first request. */
  program?: Readonly<Record<string, string>>;
}

/** A client that is in use until it is released. */
export interface ClientLease {
  client: Client;
  release: () => void;
  /** Called when a response was read to its end: the memory of the client has grown. */
  memoryGrown: () => void;
}

interface Entry {
  identity: Identity;
  client: Client;
  /** The number of turns so far. */
  turns: number;
  running: number;
  idle: Timer | undefined;
  idleSince: number;
}

/** The number of single-turn identities, differing in one header, from which on the header is suspected to differ by request. */
const suspiciousIdentities = 2;

export interface IdentityClientsOptions {
  settings: (identity: Identity) => Settings;
  clock: Clock;
  /** The memory of the chains of all clients together, in bytes. */
  maxChainBytes: number;
  /** Called with a header that seems to differ by request. */
  onSuspect: (name: string) => void;
}

/** One client for each identity, so that no two share a connection or a chain (N3, X17). */
export class IdentityClients {
  readonly #options: IdentityClientsOptions;
  /** Clients by identity, in the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Map<Client, Promise<void>>();
  /** The counts of closed clients. */
  #closedStats: Pick<ClientStats, 'dialled' | 'usage'> = { dialled: 0, usage: noUsage };
  #closed = false;

  constructor(options: IdentityClientsOptions) {
    this.#options = options;
  }

  /** @throws TurnwireError `client_closed`, or `invalid_option` for an address or a header that cannot be used */
  acquire(identity: Identity): ClientLease {
    if (this.#closed) throw new TurnwireError('client_closed', 'this fetch is closed: create another one');
    const { settings } = this.#options;
    const key = JSON.stringify([identity.url, identity.headers]);
    const entry = this.#entries.get(key) ?? this.#create(identity, settings(identity));
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.running += 1;
    entry.turns += 1;
    entry.idle?.cancel();
    this.#evict(() => this.#entries.size > maxIdentities);
    let released = false;
    const bound = (): void => {
      if (this.#entries.get(key) !== entry) return;
      this.#evict(() => this.#entries.size > maxIdentities || this.#chainBytes > this.#options.maxChainBytes);
    };
    return {
      memoryGrown: bound,
      client: entry.client,
      release: () => {
        if (released) return;
        released = true;
        entry.running -= 1;
        if (entry.running > 0 || this.#entries.get(key) !== entry) return;
        this.#becameIdle(key, entry);
        bound();
      },
    };
  }

  #create(identity: Identity, settings: Settings): Entry {
    const differing = new Map<string, number>();
    for (const other of this.#entries.values()) {
      const name = other.turns === 1 ? onlyDifference(other.identity, identity) : undefined;
      if (name !== undefined) differing.set(name, (differing.get(name) ?? 0) + 1);
    }
    for (const [name, count] of differing)
      // Different credentials are different callers.
      if (count >= suspiciousIdentities && !credentialHeaders.includes(name)) this.#options.onSuspect(name);
    const client = new Client(settings, this.#options.clock);
    return { identity, client, turns: 0, running: 0, idle: undefined, idleSince: 0 };
  }

  /** Called when the last turn of an identity has ended. */
  #becameIdle(key: string, entry: Entry): void {
    entry.idleSince = this.#options.clock.now();
    this.#scheduleClose(key, entry);
    if (entry.turns > 1) return;
    const singles = [...this.#entries].filter(([, { turns, running }]) => turns === 1 && running === 0);
    for (const [other, single] of singles.slice(0, -maxSingleTurnIdentities)) this.#end(other, single);
  }

  /** Schedules the close of an idle identity. An identity that is the only one stays for `identityIdleMs`. */
  #scheduleClose(key: string, entry: Entry): void {
    const { clock } = this.#options;
    const ms = entry.turns > 1 ? identityIdleMs : singleTurnIdleMs;
    entry.idle = clock.after(
      ms,
      () => {
        const isAlone = this.#entries.size === 1 && clock.now() - entry.idleSince < identityIdleMs;
        if (entry.turns > 1 || !isAlone) this.#end(key, entry);
        else this.#scheduleClose(key, entry);
      },
      { background: true },
    );
  }

  get size(): number {
    return this.#entries.size;
  }

  get stats(): ClientStats {
    const total: ClientStats = { ...this.#closedStats, connections: 0, busy: 0, lanes: 0, chains: 0, chainsGivenUp: 0 };
    const clients = [...[...this.#entries.values()].map(({ client }) => client), ...this.#closing.keys()];
    for (const { stats } of clients) {
      total.connections += stats.connections;
      total.busy += stats.busy;
      total.lanes += stats.lanes;
      total.dialled += stats.dialled;
      total.chainsGivenUp += stats.chainsGivenUp;
      total.usage = sum(total.usage, stats.usage);
    }
    // The chains of a closing client are not continued any more.
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

  /** Closes idle identities while `exceeded`. The last identity in the list is in use, and stays. */
  #evict(exceeded: () => boolean): void {
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
      this.#closedStats = { dialled: this.#closedStats.dialled + dialled, usage: sum(this.#closedStats.usage, usage) };
    });
    this.#closing.set(client, closing);
  }
}

/** The only header in which two identities of an address differ; undefined if none or several differ. */
function onlyDifference(a: Identity, b: Identity): string | undefined {
  if (a.url !== b.url) return undefined;
  let found: string | undefined;
  for (const name of new Set([...Object.keys(a.headers), ...Object.keys(b.headers)])) {
    if (a.headers[name] === b.headers[name]) continue;
    if (found !== undefined) return undefined;
    found = name;
  }
  return found;
}

type UsageCounts = ClientStats['usage'];

const noUsage: UsageCounts = { responses: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 };

function sum(a: UsageCounts, b: UsageCounts): UsageCounts {
  return {
    responses: a.responses + b.responses,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
  };
}
