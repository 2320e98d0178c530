import type { Occupant } from './lane.js';
import type { Place, Placement, Spot } from './placement.js';

/** What a turn that waits for a dial needs of its pool. */
export interface DialHost {
  /** Turns that wait for a connection to open. */
  readonly waits: Set<DialWait>;
  /** Of these, the ones that wait for a dial which is not their own. */
  readonly joined: Set<DialWait>;
  hasRoom: () => boolean;
  /** Connections that are being dialled. */
  underWay: () => number;
  /** One of them is for no turn. */
  warming: () => boolean;
  /** Why nobody is served any more; undefined while the client is open. */
  ended: () => Error | undefined;
  occupy(spot: Spot, occupant: Occupant): Place;
  /** Rejects where the dial fails; what it opens is offered to `wait` first. */
  dial(own: AbortController, wait: DialWait): Promise<void>;
  /** All connections that there may be are there: the turn stands in line for one. */
  standInLine(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place>;
  /** Undefined where a failed dial is the turn's failure. */
  withoutDial(
    error: unknown,
    placement: Placement,
    occupant: Occupant,
    signal: AbortSignal,
  ): Promise<Place> | undefined;
}

/** A turn for which there is nothing but dialling: it takes whichever connection opens first, or a lane that becomes free before that. */
export class DialWait {
  readonly placement: Placement;
  readonly place: Promise<Place>;
  readonly #host: DialHost;
  readonly #occupant: Occupant;
  readonly #signal: AbortSignal;
  readonly #own = new AbortController();
  readonly #onAbort = (): void => this.#abort();
  #resolve!: (place: Place | Promise<Place>) => void;
  #reject!: (error: unknown) => void;
  #dialling = false;
  #failure: { error: unknown } | undefined;

  /** With `joins` it counts on a dial that is under way already. */
  constructor(host: DialHost, placement: Placement, occupant: Occupant, signal: AbortSignal, joins: boolean) {
    this.#host = host;
    this.placement = placement;
    this.#occupant = occupant;
    this.#signal = signal;
    this.place = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    host.waits.add(this);
    host.joined.add(this);
    if (host.hasRoom() && !joins) this.#dial();
  }

  take(spot: Spot, reused: boolean): void {
    this.#leave();
    this.#resolve({ ...this.#host.occupy(spot, this.#occupant), reused });
  }

  /** A dial has come to its end, or the client is closed. */
  look(): void {
    const host = this.#host;
    const ended = host.ended();
    if (ended !== undefined) this.#giveUp(ended);
    else if (this.#dialling || (this.#failure !== undefined && host.warming())) return;
    else if (this.#failure !== undefined) this.#fail(this.#failure.error);
    else if (host.hasRoom()) this.#dial();
    else if (host.underWay() === 0) {
      this.#leave();
      this.#resolve(this.#host.standInLine(this.placement, this.#occupant, this.#signal));
    }
  }

  #dial(): void {
    this.#dialling = true;
    this.#host.joined.delete(this);
    this.#host.dial(this.#own, this).catch((error: unknown) => {
      this.#dialling = false;
      this.#failure = { error };
      if (!this.#host.waits.has(this)) return;
      this.#host.joined.add(this);
      this.look();
    });
  }

  #fail(error: unknown): void {
    const place = this.#host.withoutDial(error, this.placement, this.#occupant, this.#signal);
    if (place === undefined) return this.#giveUp(error);
    this.#leave();
    this.#resolve(place);
  }

  #abort(): void {
    this.#giveUp(this.#signal.reason);
    // Others may have relied on it.
    if (this.#host.joined.size === 0) this.#own.abort(this.#signal.reason);
  }

  #giveUp(error: unknown): void {
    if (!this.#host.waits.has(this)) return;
    this.#leave();
    this.#reject(error);
  }

  #leave(): void {
    this.#host.waits.delete(this);
    this.#host.joined.delete(this);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
