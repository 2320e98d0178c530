import { maxAgeJitter } from '../base/bounds.js';
import { onAbort } from '../base/abort.js';
import { delay } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { Connection } from './connection.js';
import { DialWaiter } from './dialling/dial-waiter.js';
import { ClockJumpDetector } from './liveness/clock-jump.js';
import { afterDial, assign, canContinue, chooseLane, laneOf, leastRecentlyUsed, oldestIdle } from './placement.js';
import { busyError, closedError } from './pool-settings.js';
import { WaitQueue } from './dialling/wait-queue.js';
import { RefusedDialQueue } from './dialling/refused-dial-queue.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { DialContext } from './dialling/dial-waiter.js';
import type { ConnectionOwner } from './connection.js';
import type { LaneListener } from './lane.js';
import type { LaneAssignment, Placement, LaneChoice } from './placement.js';
import type { PoolSettings } from './pool-settings.js';

/**
 * The connections of one client, and the lane of each turn: the one that `chooseLane` finds; else a new connection, up to the maximum; else the idle lane
 * whose chain was used least recently; else the turn waits, in order of arrival.
 */
export class Pool implements ConnectionOwner {
  readonly #settings: PoolSettings;
  readonly #connections = new Set<Connection>();
  readonly #dials = new Set<AbortController>();
  /** The number of turns that the connections being dialled can serve, beside the turns that dial them. */
  #pendingCapacity = 0;
  /** The turns that wait for a dial. */
  readonly #dialContext: DialContext;
  /** The identity of the connection that opened last. Connections with another one take no new turns. */
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

  get stats(): { dialled: number; connections: number; busy: number; lanes: number; chainsGivenUp: number } {
    const counts = { busy: 0, lanes: 0 };
    for (const connection of this.#connections) {
      if (connection.busy) counts.busy += 1;
      counts.lanes += connection.lanes.busy;
    }
    return { dialled: this.#numbers, connections: this.#connections.size, ...counts, chainsGivenUp: this.#givenUp };
  }

  /** Whether a turn could continue this response now. */
  holds(responseId: string): boolean {
    return canContinue(this.#connections, responseId);
  }

  /** Whether an open connection can serve this turn without a dial, now or after a running turn. */
  canServe(placement: Placement): boolean {
    this.#checkClock();
    return this.#findLane(placement) !== undefined || this.#inUse;
  }

  /** A lane that is idle now; undefined if the turn has to wait: see `acquire`. */
  tryAcquire(placement: Placement, listener: LaneListener): LaneAssignment | undefined {
    // Turns that wait are served first, even if a lane has just become idle.
    if (this.#closed || !this.#queue.empty) return undefined;
    this.#checkClock();
    const spot = this.#findLane(placement);
    if (spot === undefined || spot.connection.needsValidation) return undefined;
    this.#countGivenUp(spot, placement);
    return assign(spot, listener);
  }

  /**
   * Finds a lane and assigns it in one step, so that no other turn can get it in between. A connection that was idle for long is validated first; a dead
   * one costs two seconds at most (B1).
   *
   * @throws TurnwireError as `openWebSocket`, `queue_timeout`, `client_closed`; or the reason of `signal`.
   */
  async acquire(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment> {
    signal.throwIfAborted();
    if (this.#closed) throw closedError();
    if (!this.#queue.empty && placement.mayDial) return this.#enqueue(placement, listener, signal);
    return this.#find(placement, listener, signal) ?? this.#enqueue(placement, listener, signal);
  }

  /**
   * Dials a connection unless one is idle. A turn that begins meanwhile takes this connection or one of its own, whichever opens first (A13).
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

  /** The server does not know named lanes: from now on each connection carries one turn at a time (F5). */
  refuseLanes(): void {
    this.#lanes = undefined;
    for (const connection of this.#connections)
      if (connection.lanes.named) connection.retire('the server has no lanes');
  }

  /** Closes every connection. No turn may be running. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all([...this.#connections].map((connection) => connection.close('client closed')));
  }

  /** Ends dials and connections now. The client tells its turns. */
  destroy(): void {
    this.#end();
    for (const connection of this.#connections) connection.destroy('client destroyed');
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.laneFreed(connection);
  }

  /**
   * Serves the turns that wait. Not in the same tick: a frame that came in one piece with the end of a turn must end its connection (F9), and not be taken
   * for the next turn's.
   *
   * @param changed the connection with a free lane, or one that has ended. Turns that wait for a dial are offered no other: to look at all took too long.
   */
  laneFreed(changed: Connection): void {
    // A turn that begins later in this tick finds the lane itself.
    if (this.#queue.empty && this.#refusedDials.empty && this.#dialContext.waiters.size === 0) return;
    queueMicrotask(() => {
      this.#queue.serve();
      this.#refusedDials.serve();
      for (const wait of this.#dialContext.waiters) {
        if (!changed.hasCapacity) return;
        this.#offerFreedLane(changed, wait);
      }
    });
  }

  chainsGivenUp(count: number): void {
    this.#givenUp += count;
  }

  /** Counts a chain that is lost: its lane goes to a turn of another chain, and no other lane can continue it. */
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

  /** undefined if the turn has to wait. */
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
    // A turn that is neither fresh nor without lanes can use any connection.
    if (spot !== undefined || this.#hasRoom || (!placement.fresh && !placement.withoutLanes)) return spot;
    void oldestIdle(this.#connections)?.close('its place is needed');
    return undefined;
  }

  /** After a clock jump, connections that are too old are retired, and all others are validated before use (B6). */
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

  /** Waits for a lane of an open connection; fails with `reason` once no lane can become idle any more. */
  #waitForLane(
    placement: Placement,
    listener: LaneListener,
    reason: TurnwireError,
    signal: AbortSignal,
  ): Promise<LaneAssignment> {
    const rest = afterDial(placement, reason);
    const mayEvictChain = rest.mayEvictChain === true || rest.fallback === 'nothing';
    const patient: Placement = { ...rest, mayDial: false, mayEvictChain };
    const find = (): Promise<LaneAssignment> | undefined => {
      this.#checkClock();
      const spot = this.#findLane(patient);
      if (spot !== undefined) return this.#useLane(spot, patient, listener, signal);
      return this.#inUse || this.#dials.size > 0 ? undefined : Promise.reject(reason);
    };
    return find() ?? this.#refusedDials.wait(rest, find, reason, signal);
  }

  /** Gives the turn a lane that became idle before its dial has ended, if no chain is lost by that. */
  #offerFreedLane(connection: Connection, wait: DialWaiter): void {
    const { placement } = wait;
    const spot = placement.fresh || connection.needsValidation ? undefined : chooseLane([connection], placement);
    if (spot !== undefined) wait.assign(spot, true);
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
    // If this connection is dead, others usually are: all are validated at the same time.
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

  /** A connection with named lanes is being dialled, and can serve one more turn. */
  #hasPendingCapacity({ withoutLanes }: Placement): boolean {
    return !withoutLanes && this.#dialContext.joiners.size < this.#pendingCapacity;
  }

  /** Offers a connection that has just opened to the turn that dialled it, then to other waiting turns. */
  #offerConnection(connection: Connection, first: DialWaiter | undefined): void {
    const { named } = connection.lanes;
    if (first !== undefined && this.#dialContext.waiters.has(first))
      first.assign({ connection, lane: undefined }, false);
    for (const wait of this.#dialContext.waiters) {
      if (!connection.hasCapacity || (named && !connection.lanes.canOpenLane)) return;
      if (named && wait.placement.withoutLanes) continue;
      // The dial of this turn goes on, for the next one.
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
        // A turn that asks for a fresh connection cannot use an idle one.
        if (placement.fresh || isAlone || !this.#isForLoad(error)) return undefined;
        return this.#waitForLane(placement, listener, error, signal);
      },
    };
  }

  /** Retires connections that were dialled with other credentials (H4, N3). */
  #retireOtherIdentities({ identity }: Connection): void {
    if (identity === this.#identity) return;
    this.#identity = identity;
    for (const other of this.#connections)
      if (other.identity !== identity) other.retire('dialled with other credentials');
  }

  /** A dial ahead of any turn: no turn depends on it (A13). */
  async #warmUp(signal: AbortSignal): Promise<void> {
    const dial = new AbortController();
    const release = onAbort(signal, (reason) => dial.abort(reason));
    try {
      await this.#dial(dial, this.#lanes, undefined);
    } finally {
      release();
    }
  }

  /** Resolves when the connection is open. */
  async #dial(dial: AbortController, lanes: LaneLimits | undefined, wait: DialWaiter | undefined): Promise<void> {
    const { clock, dialLimiter, maxAgeMs, random } = this.#settings;
    this.#numbers += 1;
    const connection = new Connection(this.#numbers, this.#settings, this, lanes);
    const beside = lanes === undefined || wait === undefined ? 0 : lanes.inFlight - 1;
    this.#dials.add(dial);
    this.#pendingCapacity += beside;
    const over = (): void => {
      if (this.#dials.delete(dial)) this.#pendingCapacity -= beside;
    };
    try {
      for (let ms = dialLimiter?.ready() ?? 0; ms > 0; ms = dialLimiter?.ready() ?? 0)
        await delay(clock, ms, dial.signal);
      this.#throwIfUnwanted(wait);
      await connection.dial(dial.signal, maxAgeMs * (1 - maxAgeJitter * random()));
      if (dial.signal.aborted) connection.destroy('not wanted any more');
      dial.signal.throwIfAborted();
      over();
      this.#connections.add(connection);
      this.#refusedDials.opened();
      this.#retireOtherIdentities(connection);
      this.#offerConnection(connection, wait);
      // Lanes may have been refused while it was dialled.
      if (connection.lanes.named && this.#lanes === undefined) connection.retire('the server has no lanes');
    } catch (error) {
      if (error instanceof TurnwireError && error.code === 'upgrade_refused') dialLimiter?.refused(error.kind);
      if (this.#isForLoad(error)) this.#refusedDials.refused(error);
      throw error;
    } finally {
      over();
      for (const waiting of this.#dialContext.joiners) waiting.update();
      // The connection is idle, or its failure has made room for another dial.
      this.laneFreed(connection);
    }
  }

  /** The turn may have found a lane while its dial was slowed down. */
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
