import { delay } from '../clock.js';
import { TurnwireError } from '../protocol/errors.js';
import { Connection } from './connection.js';
import { Continuity } from './continuity.js';
import { isHeld, leastRecent, place } from './placement.js';
import { Queue } from './queue.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { ConnectionOptions, ConnectionOwner } from './connection.js';
import type { Lane, Occupant } from './lane.js';
import type { Placement, Spot } from './placement.js';

export interface PoolSettings extends ConnectionOptions {
  maxConnections: number;
  maxAgeMs: number;
  queueMs: number;
  /** Named lanes; undefined where the caller or the provider does not want them. */
  lanes: LaneLimits | undefined;
  pace?: Pace | undefined;
  /** In [0, 1). */
  random: () => number;
}

/** How fast connections may be dialled. */
export interface Pace {
  /** Milliseconds until the next may begin. */
  ready(): number;
  /** An upgrade was refused by this status. */
  refused(status: number): void;
}

/** A lane, occupied by the one who asked. */
export interface Place {
  lane: Lane;
  /** Its connection was not dialled for this turn. */
  reused: boolean;
}

/** A turn for which there is nothing but dialling: it takes whichever connection opens first. */
interface Suitor {
  placement: Placement;
  take: (connection: Connection) => void;
  /** A dial has failed, or the client is closed. */
  look: () => void;
}

/** Connections end up to so much before their age limit, so that those dialled together are not replaced together (H9). */
const ageJitter = 0.05;

/**
 * The connections of one client, and where its turns go: where `place` says, else to a new connection up to the maximum, else to the
 * idle lane whose chain was used least recently, else they wait in order of arrival.
 */
export class Pool implements ConnectionOwner {
  readonly #settings: PoolSettings;
  readonly #connections = new Set<Connection>();
  readonly #dials = new Set<AbortController>();
  /** How many turns the connections that are being dialled can serve, beside those that dial them. */
  #room = 0;
  readonly #suitors = new Set<Suitor>();
  /** Those of them that wait for a dial that is not their own. */
  readonly #joined = new Set<Suitor>();
  /** Of the connection that opened last; the others have the same, or take no new turns. */
  #identity: string | undefined;
  readonly #waiters: Queue<Place>;
  readonly #continuity: Continuity;
  #warming: Promise<void> | undefined;
  #lanes: LaneLimits | undefined;
  #numbers = 0;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#lanes = settings.lanes;
    this.#waiters = new Queue(settings, () => busyError(settings));
    this.#continuity = new Continuity(settings.clock);
  }

  get stats(): { dialled: number; connections: number; busy: number } {
    let busy = 0;
    for (const connection of this.#connections) if (connection.busy) busy += 1;
    return { dialled: this.#numbers, connections: this.#connections.size, busy };
  }

  /** Whether a turn that continues this response would be given the lane that holds it, or one beside it. */
  holds(responseId: string): boolean {
    return isHeld(this.#connections, responseId);
  }

  /** A lane that can be had in this very moment, as in most cases, without the promises that waiting takes. Otherwise undefined: see `acquire`. */
  take(placement: Placement, occupant: Occupant): Place | undefined {
    // Who came first is served first, also when a lane has just become free.
    if (this.#closed || !this.#waiters.empty) return undefined;
    this.#tidy();
    const spot = this.#spot(placement);
    return spot === undefined || spot.connection.doubtful ? undefined : occupy(spot, occupant);
  }

  /**
   * Finds a lane and lets `occupant` have it, in one step: nobody else can be given it in between. A connection that has rested for long
   * is asked first whether it lives; one that is dead costs two seconds at most, and nobody hears of it (B1).
   *
   * @throws TurnwireError as `openSocket`, `queue_timeout`, `client_closed`; or what `signal` was aborted with.
   */
  async acquire(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.#closed) throw closedError();
    if (!this.#waiters.empty) return this.#wait(placement, occupant, signal);
    return this.#find(placement, occupant, signal) ?? this.#wait(placement, occupant, signal);
  }

  /**
   * Dials a connection, if there is none that is idle. No turn waits for it: one that comes meanwhile takes this connection or one of
   * its own, whichever opens first, and the other stays for the next (A13).
   *
   * @throws as `acquire`
   */
  async warm(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#closed) throw closedError();
    this.#tidy();
    for (const connection of this.#connections) if (connection.idle && !connection.doubtful) return;
    if (!this.#hasRoom && this.#warming === undefined) return;
    this.#warming ??= this.#warmUp(signal).finally(() => {
      this.#warming = undefined;
      for (const suitor of this.#joined) suitor.look();
    });
    await this.#warming;
  }

  /** The server does not know named lanes: from now on one turn at a time, on connections dialled for that (F5). */
  refuseLanes(): void {
    this.#lanes = undefined;
    for (const connection of this.#connections)
      if (connection.lanes.named) connection.retire('the server has no lanes');
  }

  /** Closes every connection; for when no turn runs any more. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all([...this.#connections].map((connection) => connection.close('client closed')));
  }

  /** Ends dials and connections now; whoever uses one must be told by its owner. */
  destroy(): void {
    this.#end();
    for (const connection of this.#connections) connection.destroy('client destroyed');
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.vacant();
  }

  /**
   * The next in line may be served. Not in the same tick: what the server sent in one piece with the end of a turn must still meet an idle
   * lane, whose connection it ends (F9), and not the next turn's.
   */
  vacant(): void {
    queueMicrotask(() => this.#waiters.serve());
  }

  lanesIgnored(): void {
    this.refuseLanes();
  }

  stoodStill(): void {
    for (const connection of this.#connections) connection.suspect();
  }

  #end(): void {
    this.#closed = true;
    this.#waiters.fail(closedError());
    for (const dial of this.#dials) dial.abort(closedError());
    for (const suitor of this.#suitors) suitor.look();
  }

  /** Undefined says: wait. */
  #find(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> | undefined {
    this.#tidy();
    const spot = this.#choose(placement);
    if (spot !== undefined) {
      if (spot.connection.doubtful) return this.#validate(spot, placement, occupant, signal);
      return Promise.resolve(occupy(spot, occupant));
    }
    if (this.#hasRoom || (this.#warming !== undefined && !placement.fresh))
      return this.#court(placement, occupant, signal);
    return undefined;
  }

  #spot(placement: Placement): Spot | undefined {
    if (placement.fresh) return undefined;
    const found = place(this.#connections, placement);
    return found === undefined && !this.#hasRoom ? leastRecent(this.#connections, placement.withoutLanes) : found;
  }

  /** As `#spot`; where there is none, a connection of no use to this turn makes room. */
  #choose(placement: Placement): Spot | undefined {
    const spot = this.#spot(placement);
    // What is neither new nor without lanes can use any connection.
    if (spot !== undefined || this.#hasRoom || (!placement.fresh && !placement.withoutLanes)) return spot;
    let oldest: Connection | undefined;
    for (const connection of this.#connections)
      if (connection.idle && (oldest === undefined || connection.usedAt < oldest.usedAt)) oldest = connection;
    void oldest?.close('its place is needed');
    return undefined;
  }

  /** Where time has jumped, what is too old now leaves, and all that is left is asked before it is used (B6). */
  #tidy(): void {
    if (this.#continuity.broken()) this.stoodStill();
  }

  get #hasRoom(): boolean {
    return this.#connections.size + this.#dials.size < this.#settings.maxConnections;
  }

  async #validate(spot: Spot, placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    const { connection } = spot;
    const lane = laneOf(spot);
    lane.reserve();
    // Where one has died, others have, as a rule: what they cost is paid once.
    for (const other of this.#connections) if (other !== connection && other.idle && other.doubtful) void other.check();
    const alive = await new Promise<boolean>((resolve) => {
      const leave = (): void => resolve(false);
      signal.addEventListener('abort', leave, { once: true });
      void connection
        .check()
        .then(resolve)
        .finally(() => signal.removeEventListener('abort', leave));
    });
    if (signal.aborted || this.#closed || !alive || !connection.open) {
      lane.release();
      signal.throwIfAborted();
      if (this.#closed) throw closedError();
      return this.#find(placement, occupant, signal) ?? this.#wait(placement, occupant, signal);
    }
    lane.occupy(occupant);
    return { lane, reused: true };
  }

  /** A dial for this turn, beside one that may be on its way without a turn. */
  #court(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    return new Promise((resolve, reject) => {
      const own = new AbortController();
      let dialling = false;
      let failure: { error: unknown } | undefined;
      const leave = (): void => {
        this.#suitors.delete(suitor);
        this.#joined.delete(suitor);
        signal.removeEventListener('abort', onAbort);
      };
      const giveUp = (error: unknown): void => {
        if (!this.#suitors.has(suitor)) return;
        leave();
        reject(error);
      };
      const onAbort = (): void => {
        giveUp(signal.reason);
        // Others may have relied on it.
        if (this.#joined.size === 0) own.abort(signal.reason);
      };
      const suitor: Suitor = {
        placement,
        take: (connection) => {
          leave();
          const lane = connection.lanes.open();
          lane.occupy(occupant);
          resolve({ lane, reused: false });
        },
        look: () => {
          if (this.#closed) giveUp(closedError());
          else if (dialling || (failure !== undefined && this.#warming !== undefined)) return;
          else if (failure !== undefined) giveUp(failure.error);
          else if (this.#hasRoom) dial();
          else if (this.#dials.size === 0) {
            leave();
            this.#wait(placement, occupant, signal).then(resolve, reject);
          }
        },
      };
      const dial = (): void => {
        dialling = true;
        this.#joined.delete(suitor);
        const lanes = placement.withoutLanes ? undefined : this.#lanes;
        this.#dial(own, lanes, suitor).catch((error: unknown) => {
          dialling = false;
          failure = { error };
          if (!this.#suitors.has(suitor)) return;
          this.#joined.add(suitor);
          suitor.look();
        });
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#suitors.add(suitor);
      this.#joined.add(suitor);
      if (this.#hasRoom && !this.#awaited(placement)) dial();
    });
  }

  /** A connection with named lanes is on its way, and has room for one more: a burst of turns shares it. */
  #awaited({ withoutLanes }: Placement): boolean {
    return !withoutLanes && this.#joined.size <= this.#room;
  }

  /** A connection has just opened: it goes to the turn that has dialled it, then to others that wait for one, else it rests. */
  #offer(connection: Connection, first: Suitor | undefined): void {
    const { named } = connection.lanes;
    if (first !== undefined && this.#suitors.has(first)) first.take(connection);
    for (const suitor of this.#suitors) {
      if (!connection.roomy || (named && !connection.lanes.hasNames)) return;
      if (named && suitor.placement.withoutLanes) continue;
      // Its own dial goes on, for whoever comes next; with names there is room for it here as well.
      suitor.take(connection);
    }
  }

  /** Whoever has other credentials now must not be served with the old ones (H4, N3). */
  #identify({ identity }: Connection): void {
    if (identity === this.#identity) return;
    this.#identity = identity;
    for (const other of this.#connections)
      if (other.identity !== identity) other.retire('dialled with other credentials');
  }

  /** Nobody relies on a dial without a turn: it may be slow, and nobody must be (A13). */
  async #warmUp(signal: AbortSignal): Promise<void> {
    const dial = new AbortController();
    const onAbort = (): void => dial.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#dial(dial, this.#lanes, undefined);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when it is open. */
  async #dial(dial: AbortController, lanes: LaneLimits | undefined, suitor: Suitor | undefined): Promise<void> {
    const { clock, pace, maxAgeMs, random } = this.#settings;
    this.#numbers += 1;
    const connection = new Connection(this.#numbers, this.#settings, this, lanes);
    const beside = lanes === undefined || suitor === undefined ? 0 : lanes.inFlight - 1;
    this.#dials.add(dial);
    this.#room += beside;
    const over = (): void => {
      if (this.#dials.delete(dial)) this.#room -= beside;
    };
    try {
      for (let ms = pace?.ready() ?? 0; ms > 0; ms = pace?.ready() ?? 0) await delay(clock, ms, dial.signal);
      await connection.dial(dial.signal, maxAgeMs * (1 - ageJitter * random()));
      if (dial.signal.aborted) {
        connection.destroy('not wanted any more');
        dial.signal.throwIfAborted();
      }
      over();
      this.#connections.add(connection);
      this.#identify(connection);
      this.#offer(connection, suitor);
      // Lanes may have been refused while it was dialled.
      if (connection.lanes.named && this.#lanes === undefined) connection.retire('the server has no lanes');
    } catch (error) {
      if (error instanceof TurnwireError && error.code === 'upgrade_refused') pace?.refused(error.status ?? 0);
      throw error;
    } finally {
      over();
      for (const waiting of this.#joined) waiting.look();
      // It rests, or it has left room for the next in line.
      this.vacant();
    }
  }

  #wait(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    return this.#waiters.join(() => this.#find(placement, occupant, signal), signal);
  }
}

function laneOf({ connection, lane }: Spot): Lane {
  return lane ?? connection.lanes.open();
}

function occupy(spot: Spot, occupant: Occupant): Place {
  const lane = laneOf(spot);
  lane.occupy(occupant);
  return { lane, reused: true };
}

function closedError(): TurnwireError {
  return new TurnwireError('client_closed', 'this client is closed: create another one');
}

function busyError({ maxConnections, queueMs }: PoolSettings): TurnwireError {
  return new TurnwireError(
    'queue_timeout',
    `all ${maxConnections} connections were busy for ${queueMs} ms: raise pool.maxConnections or timeouts.queueMs`,
  );
}
