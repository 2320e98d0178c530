import { onAbort } from '../base/abort.js';
import { delay } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { Connection } from './connection.js';
import { DialWaiter } from './dialling/dial-waiter.js';
import { ClockJumpDetector } from './liveness/clock-jump.js';
import { canContinue, leastRecentlyUsed, chooseLane } from './placement.js';
import { busyError, closedError } from './pool-settings.js';
import { WaitQueue } from './dialling/wait-queue.js';
import { RefusedDialQueue } from './dialling/refused-dial-queue.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { DialContext } from './dialling/dial-waiter.js';
import type { ConnectionOwner } from './connection.js';
import type { Lane, LaneListener } from './lane.js';
import type { LaneAssignment, Placement, LaneChoice } from './placement.js';
import type { PoolSettings } from './pool-settings.js';

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
  #pendingCapacity = 0;
  /** The turns that wait for these. */
  readonly #dialContext: DialContext;
  /** Of the connection that opened last; the others have the same, or take no new turns. */
  #identity: string | undefined;
  readonly #queue: WaitQueue<LaneAssignment>;
  readonly #refusedDials: RefusedDialQueue<LaneAssignment>;
  readonly #clockJumps: ClockJumpDetector;
  #warming: Promise<void> | undefined;
  #lanes: LaneLimits | undefined;
  #numbers = 0;
  #givenUp = 0;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#lanes = settings.lanes;
    this.#queue = new WaitQueue(settings.clock);
    this.#refusedDials = new RefusedDialQueue({ ...settings, redial: () => this.#redial() });
    this.#clockJumps = new ClockJumpDetector(settings.clock);
    this.#dialContext = this.#createDialContext();
  }

  get stats(): { dialled: number; connections: number; busy: number; chainsGivenUp: number } {
    let busy = 0;
    for (const connection of this.#connections) if (connection.busy) busy += 1;
    return { dialled: this.#numbers, connections: this.#connections.size, busy, chainsGivenUp: this.#givenUp };
  }

  /** Whether a turn that continues this response would be given the lane that holds it, or one beside it. */
  holds(responseId: string): boolean {
    return canContinue(this.#connections, responseId);
  }

  /** Whether a turn for which none may be dialled has something to wait for: a lane that is idle and loses nothing by it, or a turn that will end. */
  canServe(placement: Placement): boolean {
    this.#checkClock();
    return this.#findLane(placement) !== undefined || this.#inUse;
  }

  /** A lane that can be had in this very moment, as in most cases, without the promises that waiting takes. Otherwise undefined: see `acquire`. */
  tryAcquire(placement: Placement, listener: LaneListener): LaneAssignment | undefined {
    // Who came first is served first, also when a lane has just become free.
    if (this.#closed || !this.#queue.empty) return undefined;
    this.#checkClock();
    const spot = this.#findLane(placement);
    if (spot === undefined || spot.connection.needsValidation) return undefined;
    this.#countGivenUp(spot, placement);
    return assign(spot, listener);
  }

  /**
   * Finds a lane and lets `occupant` have it, in one step: nobody else can be given it in between. A connection that has rested for long
   * is asked first whether it lives; one that is dead costs two seconds at most, and nobody hears of it (B1).
   *
   * @throws TurnwireError as `openSocket`, `queue_timeout`, `client_closed`; or what `signal` was aborted with.
   */
  async acquire(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment> {
    signal.throwIfAborted();
    if (this.#closed) throw closedError();
    if (!this.#queue.empty && placement.mayDial) return this.#enqueue(placement, listener, signal);
    return this.#find(placement, listener, signal) ?? this.#enqueue(placement, listener, signal);
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
    this.#checkClock();
    for (const connection of this.#connections) if (connection.idle && !connection.needsValidation) return;
    if (!this.#hasRoom && this.#warming === undefined) return;
    this.#warming ??= this.#warmUp(signal).finally(() => {
      this.#warming = undefined;
      for (const wait of this.#dialContext.joiners) wait.update();
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
    this.laneFreed();
  }

  /**
   * The next in line may be served. Not in the same tick: what the server sent in one piece with the end of a turn must still meet an idle
   * lane, whose connection it ends (F9), and not the next turn's.
   */
  laneFreed(): void {
    queueMicrotask(() => {
      this.#queue.serve();
      this.#refusedDials.serve();
      for (const wait of this.#dialContext.waiters) this.#offerFreedLane(wait);
    });
  }

  chainsGivenUp(count: number): void {
    this.#givenUp += count;
  }

  /** A lane whose chain nothing but this lane can continue goes to a turn that does not. */
  #countGivenUp({ lane }: LaneChoice, { parent }: Placement): void {
    const chain = lane?.chain;
    if (chain?.stored === false && chain.responseId !== parent?.responseId) this.#givenUp += 1;
  }

  lanesIgnored(): void {
    this.refuseLanes();
  }

  processStalled(): void {
    for (const connection of this.#connections) connection.distrust();
  }

  #end(): void {
    this.#closed = true;
    this.#queue.fail(closedError());
    this.#refusedDials.fail(closedError());
    for (const dial of this.#dials) dial.abort(closedError());
    for (const wait of this.#dialContext.waiters) wait.update();
  }

  /** Undefined says: wait. */
  #find(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment> | undefined {
    this.#checkClock();
    const spot = this.#findLaneOrEvict(placement);
    if (spot !== undefined) return this.#useLane(spot, placement, listener, signal);
    if (!placement.mayDial) return this.#waitForLane(placement, listener, this.#refusedDials.reason, signal);
    if (this.#hasRoom || (this.#warming !== undefined && !placement.fresh))
      return new DialWaiter(this.#dialContext, placement, listener, signal, this.#hasPendingCapacity(placement)).place;
    return undefined;
  }

  #findLane(placement: Placement): LaneChoice | undefined {
    if (placement.fresh) return undefined;
    const found = chooseLane(this.#connections, placement);
    const spends = placement.mayEvictChain === true || !this.#hasRoom;
    return found === undefined && spends ? leastRecentlyUsed(this.#connections, placement.withoutLanes) : found;
  }

  #useLane(
    spot: LaneChoice,
    placement: Placement,
    listener: LaneListener,
    signal: AbortSignal,
  ): Promise<LaneAssignment> {
    this.#countGivenUp(spot, placement);
    if (spot.connection.needsValidation) return this.#validate(spot, placement, listener, signal);
    return Promise.resolve(assign(spot, listener));
  }

  /** As `#findLane`; where there is none, a connection of no use to this turn makes room. */
  #findLaneOrEvict(placement: Placement): LaneChoice | undefined {
    const spot = this.#findLane(placement);
    // What is neither new nor without lanes can use any connection.
    if (spot !== undefined || this.#hasRoom || (!placement.fresh && !placement.withoutLanes)) return spot;
    let oldest: Connection | undefined;
    for (const connection of this.#connections)
      if (connection.idle && (oldest === undefined || connection.usedAt < oldest.usedAt)) oldest = connection;
    void oldest?.close('its place is needed');
    return undefined;
  }

  /** Where time has jumped, what is too old now leaves, and all that is left is asked before it is used (B6). */
  #checkClock(): void {
    if (this.#clockJumps.hasJumped()) this.processStalled();
  }

  get #hasRoom(): boolean {
    return this.#connections.size + this.#dials.size < this.#settings.maxConnections;
  }

  get #inUse(): boolean {
    for (const connection of this.#connections) if (connection.open && connection.busy) return true;
    return false;
  }

  /** Fails with `reason` as soon as no lane can become free any more without the loss of a chain, or at all. */
  #waitForLane(
    placement: Placement,
    listener: LaneListener,
    reason: TurnwireError,
    signal: AbortSignal,
  ): Promise<LaneAssignment> {
    const patient: Placement = {
      ...placement,
      mayDial: false,
      mayEvictChain: placement.mayEvictChain === true || placement.fallback === 'nothing',
    };
    const find = (): Promise<LaneAssignment> | undefined => {
      this.#checkClock();
      const spot = this.#findLane(patient);
      if (spot !== undefined) return this.#useLane(spot, patient, listener, signal);
      return this.#inUse || this.#dials.size > 0 ? undefined : Promise.reject(reason);
    };
    return find() ?? this.#refusedDials.wait(placement, find, reason, signal);
  }

  /** A lane has become free before the dial of this turn has come to its end: nothing is lost by taking it. */
  #offerFreedLane(wait: DialWaiter): void {
    const { placement } = wait;
    const spot = placement.fresh ? undefined : chooseLane(this.#connections, placement);
    if (spot !== undefined && !spot.connection.needsValidation) wait.assign(spot, true);
  }

  #redial(): boolean {
    if (!this.#hasRoom || this.#closed) return false;
    this.#dial(new AbortController(), this.#lanes, undefined).catch(() => {});
    return true;
  }

  async #validate(
    spot: LaneChoice,
    placement: Placement,
    listener: LaneListener,
    signal: AbortSignal,
  ): Promise<LaneAssignment> {
    const { connection } = spot;
    const lane = laneOf(spot);
    lane.reserve();
    // Where one has died, others have, as a rule: what they cost is paid once.
    for (const other of this.#connections)
      if (other !== connection && other.idle && other.needsValidation) void other.validate();
    const alive = await new Promise<boolean>((resolve) => {
      const release = onAbort(signal, () => resolve(false));
      void connection.validate().then(resolve).finally(release);
    });
    if (signal.aborted || this.#closed || !alive || !connection.open) {
      lane.release();
      signal.throwIfAborted();
      if (this.#closed) throw closedError();
      return this.#find(placement, listener, signal) ?? this.#enqueue(placement, listener, signal);
    }
    lane.assign(listener);
    return { lane, reused: true };
  }

  /** A connection with named lanes is on its way, and has room for one more: a burst of turns shares it. */
  #hasPendingCapacity({ withoutLanes }: Placement): boolean {
    return !withoutLanes && this.#dialContext.joiners.size < this.#pendingCapacity;
  }

  /** A connection has just opened: it goes to the turn that has dialled it, then to others that wait for one, else it rests. */
  #offerConnection(connection: Connection, first: DialWaiter | undefined): void {
    const { named } = connection.lanes;
    if (first !== undefined && this.#dialContext.waiters.has(first))
      first.assign({ connection, lane: undefined }, false);
    for (const wait of this.#dialContext.waiters) {
      if (!connection.hasCapacity || (named && !connection.lanes.canOpenLane)) return;
      if (named && wait.placement.withoutLanes) continue;
      // Its own dial goes on, for whoever comes next; with names there is room for it here as well.
      wait.assign({ connection, lane: undefined }, false);
    }
  }

  #createDialContext(): DialContext {
    return {
      waiters: new Set(),
      joiners: new Set(),
      hasRoom: () => this.#hasRoom,
      dialsInProgress: () => this.#dials.size,
      isWarming: () => this.#warming !== undefined,
      closedError: () => (this.#closed ? closedError() : undefined),
      assign,
      dial: (own, wait) => this.#dial(own, wait.placement.withoutLanes ? undefined : this.#lanes, wait),
      enqueue: (...turn) => this.#enqueue(...turn),
      waitForLane: (error, placement, listener, signal) => {
        const isAlone = this.#connections.size + this.#dials.size === 0;
        // A connection that has rested is of no use to who asks for a fresh one.
        if (placement.fresh || isAlone || !this.#isForLoad(error)) return undefined;
        return this.#waitForLane(afterDial(placement, error), listener, error, signal);
      },
    };
  }

  /** Whoever has other credentials now must not be served with the old ones (H4, N3). */
  #retireOtherIdentities({ identity }: Connection): void {
    if (identity === this.#identity) return;
    this.#identity = identity;
    for (const other of this.#connections)
      if (other.identity !== identity) other.retire('dialled with other credentials');
  }

  /** Nobody relies on a dial without a turn: it may be slow, and nobody must be (A13). */
  async #warmUp(signal: AbortSignal): Promise<void> {
    const dial = new AbortController();
    const release = onAbort(signal, (reason) => dial.abort(reason));
    try {
      await this.#dial(dial, this.#lanes, undefined);
    } finally {
      release();
    }
  }

  /** Resolves when it is open. */
  async #dial(dial: AbortController, lanes: LaneLimits | undefined, wait: DialWaiter | undefined): Promise<void> {
    const { clock, pace, maxAgeMs, random } = this.#settings;
    this.#numbers += 1;
    const connection = new Connection(this.#numbers, this.#settings, this, lanes);
    const beside = lanes === undefined || wait === undefined ? 0 : lanes.inFlight - 1;
    this.#dials.add(dial);
    this.#pendingCapacity += beside;
    const over = (): void => {
      if (this.#dials.delete(dial)) this.#pendingCapacity -= beside;
    };
    try {
      for (let ms = pace?.ready() ?? 0; ms > 0; ms = pace?.ready() ?? 0) await delay(clock, ms, dial.signal);
      this.#throwIfUnwanted(wait);
      await connection.dial(dial.signal, maxAgeMs * (1 - ageJitter * random()));
      if (dial.signal.aborted) {
        connection.destroy('not wanted any more');
        dial.signal.throwIfAborted();
      }
      over();
      this.#connections.add(connection);
      this.#refusedDials.opened();
      this.#retireOtherIdentities(connection);
      this.#offerConnection(connection, wait);
      // Lanes may have been refused while it was dialled.
      if (connection.lanes.named && this.#lanes === undefined) connection.retire('the server has no lanes');
    } catch (error) {
      if (error instanceof TurnwireError && error.code === 'upgrade_refused') pace?.refused(error.kind);
      if (this.#isForLoad(error)) this.#refusedDials.refused(error);
      throw error;
    } finally {
      over();
      for (const waiting of this.#dialContext.joiners) waiting.update();
      // It rests, or it has left room for the next in line.
      this.laneFreed();
    }
  }

  /** A turn may have found a lane while its dial waited for its pace. */
  #throwIfUnwanted(wait: DialWaiter | undefined): void {
    if (wait !== undefined && !this.#dialContext.waiters.has(wait) && this.#dialContext.waiters.size === 0)
      throw new TurnwireError('aborted', 'the connection is not wanted any more');
  }

  #isForLoad(error: unknown): error is TurnwireError {
    return error instanceof TurnwireError && this.#settings.isForLoad?.(error) === true;
  }

  #enqueue(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment> {
    const find = (): Promise<LaneAssignment> | undefined => this.#find(placement, listener, signal);
    return this.#queue.wait(find, signal, this.#settings.queueMs, () => busyError(this.#settings));
  }
}

function laneOf({ connection, lane }: LaneChoice): Lane {
  return lane ?? connection.lanes.open();
}

function assign(spot: LaneChoice, listener: LaneListener): LaneAssignment {
  const lane = laneOf(spot);
  lane.assign(listener);
  return { lane, reused: true };
}

/**
 * What a turn can still do after its dial was refused. A proxy that refuses tunnels stands before SSE, too; and who lets a dial wait for an answer
 * lets a POST wait, which may have run then.
 */
function afterDial(placement: Placement, { code }: TurnwireError): Placement {
  return code === 'proxy_failed' || code === 'dial_timeout' ? { ...placement, fallback: 'nothing' } : placement;
}
