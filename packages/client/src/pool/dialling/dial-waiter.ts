import { onAbort } from '../../base/abort.js';
import type { LaneListener } from '../lane.js';
import type { LaneAssignment, Placement, LaneChoice } from '../placement.js';

/** What a turn that waits for a dial needs of its pool. */
export interface DialContext {
  /** Turns that wait for a connection to open. */
  readonly waiters: Set<DialWaiter>;
  /** Of these, the ones that wait for a dial which is not their own. */
  readonly joiners: Set<DialWaiter>;
  hasRoom: () => boolean;
  /** Connections that are being dialled. */
  dialsInProgress: () => number;
  /** One of them is for no turn. */
  isWarming: () => boolean;
  /** Why nobody is served any more; undefined while the client is open. */
  closedError: () => Error | undefined;
  assign(spot: LaneChoice, listener: LaneListener): LaneAssignment;
  /** Rejects where the dial fails; what it opens is offered to `wait` first. */
  dial(own: AbortController, wait: DialWaiter): Promise<void>;
  /** All connections that there may be are there: the turn stands in line for one. */
  enqueue(placement: Placement, listener: LaneListener, signal: AbortSignal): Promise<LaneAssignment>;
  /** Undefined where a failed dial is the turn's failure. */
  waitForLane(
    error: unknown,
    placement: Placement,
    listener: LaneListener,
    signal: AbortSignal,
  ): Promise<LaneAssignment> | undefined;
}

/** A turn for which there is nothing but dialling: it takes whichever connection opens first, or a lane that becomes free before that. */
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

  /** With `joins` it counts on a dial that is under way already. */
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

  /** A dial has come to its end, or the client is closed. */
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
    // Others may have relied on it.
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
