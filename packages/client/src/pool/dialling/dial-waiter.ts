import { onAbort } from '../../base/abort.js';
import type { LaneListener } from '../lane.js';
import type { LaneAssignment, Placement, LaneChoice } from '../placement.js';

/** The pool, as the turns that wait for a dial see it. */
export interface DialContext {
  /** All turns that wait for a connection to open. */
  readonly waiters: Set<DialWaiter>;
  /** Turns that wait for a dial started by another turn. */
  readonly joiners: Set<DialWaiter>;
  hasRoom: () => boolean;
  /** The number of connections that are being dialled. */
  dialsInProgress: () => number;
  /** One of the dials was started ahead of any turn. */
  isWarming: () => boolean;
  /** Why turns are not served any more; undefined while the client is open. */
  closedError: () => Error | undefined;
  assign(spot: LaneChoice, listener: LaneListener): LaneAssignment;
  /** Rejects if the dial fails. The connection is offered to `wait` first. */
  dial(own: AbortController, wait: DialWaiter): Promise<void>;
  /** Waits in order of arrival for a lane: `pool.maxConnections` is reached. */
  enqueue(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment>;
  /** Waits for a lane of an open connection; undefined if the failed dial is the turn's failure. */
  waitForLane(
    error: unknown,
    placement: Placement,
    listener: LaneListener,
    signal: AbortSignal,
  ): Promise<LaneAssignment> | undefined;
}

/** A turn that waits for a dial: it takes the connection that opens first, or a lane that becomes idle before. */
export class DialWaiter {
  readonly placement: Placement;
  readonly place: Promise<LaneAssignment>;
  readonly #context: DialContext;
  readonly #listener: LaneListener;
  readonly #signal: AbortSignal;
  readonly #ownDial = new AbortController();
  readonly #release: () => void;
  #resolve!: (place: LaneAssignment | Promise<LaneAssignment>) => void;
  #reject!: (error: unknown) => void;
  #dialling = false;
  #failure: { error: unknown } | undefined;

  /** @param joins the turn starts no dial of its own as long as another one is in progress. */
  constructor(host: DialContext, placement: Placement, listener: LaneListener, signal: AbortSignal, joins: boolean) {
    this.#context = host;
    this.placement = placement;
    this.#listener = listener;
    this.#signal = signal;
    this.place = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#release = onAbort(signal, (reason) => this.#abort(reason));
    host.waiters.add(this);
    host.joiners.add(this);
    if (host.hasRoom() && !joins) this.#dial();
  }

  assign(spot: LaneChoice, reused: boolean): void {
    this.#remove();
    this.#resolve({ ...this.#context.assign(spot, this.#listener), reused });
  }

  /** Called when a dial has ended, or the client was closed. */
  update(): void {
    const host = this.#context;
    const ended = host.closedError();
    if (ended !== undefined) this.#rejectWith(ended);
    else if (this.#dialling || (this.#failure !== undefined && host.isWarming())) return;
    else if (this.#failure !== undefined) this.#fail(this.#failure.error);
    else if (host.hasRoom()) this.#dial();
    else if (host.dialsInProgress() === 0) {
      this.#remove();
      this.#resolve(this.#context.enqueue(this.placement, this.#listener, this.#signal));
    }
  }

  #dial(): void {
    this.#dialling = true;
    this.#context.joiners.delete(this);
    this.#context.dial(this.#ownDial, this).catch((error: unknown) => {
      this.#dialling = false;
      this.#failure = { error };
      if (!this.#context.waiters.has(this)) return;
      this.#context.joiners.add(this);
      this.update();
    });
  }

  #fail(error: unknown): void {
    const place = this.#context.waitForLane(error, this.placement, this.#listener, this.#signal);
    if (place === undefined) return this.#rejectWith(error);
    this.#remove();
    this.#resolve(place);
  }

  #abort(reason: unknown): void {
    this.#rejectWith(reason);
    // Another turn may wait for the same dial.
    if (this.#context.joiners.size === 0) this.#ownDial.abort(reason);
  }

  #rejectWith(error: unknown): void {
    if (!this.#context.waiters.has(this)) return;
    this.#remove();
    this.#reject(error);
  }

  #remove(): void {
    this.#context.waiters.delete(this);
    this.#context.joiners.delete(this);
    this.#release();
  }
}
