import { isHousekeeping } from '../protocol/event-types.js';
import { Frame } from '../protocol/frame.js';
import { isError } from '../protocol/terminal.js';
import { Lane } from './lane.js';
import { streamIdOf } from './stream-id.js';
import type { EventText } from '../protocol/frame.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { LaneBearer } from './lane.js';

/** Why turns are lost whose server was given names and answers without them: the `cause` of their errors. */
export class LanesIgnored extends Error {
  override readonly name = 'LanesIgnored';
}

/** What became of a frame. */
export type Delivery =
  | 'delivered'
  /** It had no name though it should; there was but one turn whose it could be. */
  | 'delivered_nameless'
  /** An error without a name: every turn has it. */
  | 'delivered_to_all'
  | { violation: string; cause: Error | undefined };

/**
 * The lanes of one connection, and whose a frame is. Either the default lane alone, for one turn at a time, or named lanes alone: what comes
 * without a name is then nobody's (P65, F5).
 */
export class Lanes {
  readonly #bearer: LaneBearer;
  readonly #limits: LaneLimits | undefined;
  #all: readonly Lane[] = [];
  readonly #named = new Map<string, Lane>();
  #names = 0;
  #maxNames: number;
  /** Whose everything is: the default lane, or the one of a server that answers without the name that it was sent. */
  #sole: Lane | undefined;
  /** The server has answered with a name. */
  #confirmed = false;
  /** A turn that takes text has been here: frames are looked at as text first. For the others that would be work twice. */
  #textual = false;

  constructor(bearer: LaneBearer, limits: LaneLimits | undefined) {
    this.#bearer = bearer;
    this.#limits = limits;
    this.#maxNames = limits?.names ?? 0;
    if (limits !== undefined) return;
    this.#sole = new Lane(bearer, undefined);
    this.#all = [this.#sole];
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#all[Symbol.iterator]();
  }

  get named(): boolean {
    return this.#limits !== undefined;
  }

  /** Lanes that are not idle. */
  get inUse(): number {
    let count = 0;
    for (const { idle } of this.#all) if (!idle) count += 1;
    return count;
  }

  /** Lanes that have a turn. */
  get busy(): number {
    let count = 0;
    for (const { occupant } of this.#all) if (occupant !== undefined) count += 1;
    return count;
  }

  /** One more turn is allowed at the same time (P44). */
  get roomy(): boolean {
    return this.inUse < (this.#limits?.inFlight ?? 1);
  }

  /** One more name is allowed. */
  get hasNames(): boolean {
    return this.#names < this.#maxNames;
  }

  /** The default lane, or one with a new name. */
  open(): Lane {
    if (this.#sole !== undefined) return this.#sole;
    this.#names += 1;
    const name = `lane-${this.#names}`;
    const lane = new Lane(this.#bearer, name);
    this.#all = [...this.#all, lane];
    this.#named.set(name, lane);
    return lane;
  }

  /** A turn has begun. */
  taken({ occupant }: Lane): void {
    this.#textual ||= occupant?.asText === true;
  }

  /** The server takes no more names, and has not taken this one. */
  strike(lane: Lane): void {
    this.#maxNames = 0;
    this.#all = this.#all.filter((other) => other !== lane);
    if (lane.streamId !== undefined) this.#named.delete(lane.streamId);
  }

  holds(responseId: string): boolean {
    for (const { chain } of this.#all) if (chain?.responseId === responseId) return true;
    return false;
  }

  /** A lane beside it is not idle. */
  othersRun(lane: Lane): boolean {
    for (const other of this.#all) if (other !== lane && !other.idle) return true;
    return false;
  }

  /** Others use the connection, or hold what they may want to continue. */
  othersBeside(lane: Lane): boolean {
    for (const other of this.#all) if (other !== lane && (!other.idle || other.chain !== undefined)) return true;
    return false;
  }

  /**
   * Gives a frame to the turn whose it is.
   *
   * @throws FrameError
   */
  receive(text: EventText, bytes: number): Delivery {
    const sole = this.#sole;
    if (sole === undefined) return this.#route(this.#textual ? Frame.peek(text, bytes) : Frame.parse(text, bytes));
    const frame = sole.occupant?.asText === true ? Frame.peek(text, bytes) : Frame.parse(text, bytes);
    if (sole.event(frame) || isHousekeeping(frame)) return 'delivered';
    return violation('the server sent an event although no turn is running');
  }

  #route(frame: Frame): Delivery {
    const id = streamIdOf(frame);
    if (id === undefined) return this.#unnamed(frame);
    this.#confirmed = true;
    const lane = typeof id === 'string' ? this.#named.get(id) : undefined;
    if (lane?.event(frame) === true || isHousekeeping(frame)) return 'delivered';
    return violation('the server sent an event for a lane on which no turn is running');
  }

  #unnamed(frame: Frame): Delivery {
    const inUse = this.#all.filter(({ idle }) => !idle);
    const [first] = inUse;
    if (first !== undefined && isError(frame.event)) {
      for (const lane of inUse) lane.event(frame);
      return 'delivered_to_all';
    }
    if (isHousekeeping(frame)) return 'delivered';
    if (first !== undefined && inUse.length === 1 && !this.#confirmed) {
      this.#sole = first;
      first.event(frame);
      return 'delivered_nameless';
    }
    const cause = this.#confirmed ? undefined : new LanesIgnored('the server does not name the lanes it answers on');
    return violation('the server sent an event without the stream_id of a lane', cause);
  }
}

function violation(what: string, cause?: Error): Delivery {
  return { violation: what, cause };
}
