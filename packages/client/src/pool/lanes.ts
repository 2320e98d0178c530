import { isHousekeeping } from '../protocol/event-types.js';
import { Frame } from '../protocol/frame.js';
import { isError } from '../protocol/terminal.js';
import { Lane } from './lane.js';
import { streamIdOf } from './stream-id.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { LaneConnection } from './lane.js';

/** The server was given lane names and answers without them. It is the `cause` of the error of every turn that is lost by this. */
export class LanesIgnoredError extends Error {
  override readonly name = 'LanesIgnoredError';
}

/** Where a frame belongs. */
export type FrameRoute =
  /** The lane whose turn it belongs to, if a turn runs there. */
  | Lane
  /** A frame without the name it should have; only one turn can be meant. */
  | { name: 'unnamed'; lane: Lane }
  /** An error without a name: it belongs to every turn. */
  | { name: 'all'; lanes: readonly Lane[] }
  /** Housekeeping of the whole connection. */
  | { name: 'none' }
  | Violation;

/** The server and this client disagree on what is going on. */
export interface Violation {
  name: 'violation';
  reason: string;
  cause: Error | undefined;
}

/**
 * The lanes of one connection, and the lane of each frame. A connection has the default lane alone, for one turn at a time, or named lanes alone;
 * a frame without a name belongs to no named lane (P65, F5).
 */
export class Lanes {
  readonly #connection: LaneConnection;
  readonly #limits: LaneLimits | undefined;
  #lanes: readonly Lane[] = [];
  readonly #named = new Map<string, Lane>();
  #names = 0;
  #maxNames: number;
  /** The lane that receives every frame: the default lane, or, when the server ignores `stream_id`, the only lane in use. */
  #onlyLane: Lane | undefined;
  /** The server has answered with a name. */
  #echoesNames = false;
  /** A turn of this connection takes frames as text: frames are parsed only when something must look into them. */
  #peeks = false;

  constructor(bearer: LaneConnection, limits: LaneLimits | undefined) {
    this.#connection = bearer;
    this.#limits = limits;
    this.#maxNames = limits?.names ?? 0;
    if (limits !== undefined) return;
    this.#onlyLane = new Lane(bearer, undefined);
    this.#lanes = [this.#onlyLane];
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#lanes[Symbol.iterator]();
  }

  get named(): boolean {
    return this.#limits !== undefined;
  }

  /** The number of lanes that are not idle. */
  get inUse(): number {
    let count = 0;
    for (const { idle } of this.#lanes) if (!idle) count += 1;
    return count;
  }

  /** The number of lanes with a running turn. */
  get busy(): number {
    let count = 0;
    for (const { listener } of this.#lanes) if (listener !== undefined) count += 1;
    return count;
  }

  /** The provider's limit of concurrent turns allows one more (P44). */
  get hasCapacity(): boolean {
    return this.inUse < (this.#limits?.inFlight ?? 1);
  }

  /** The provider's limit of names allows one more lane. */
  get canOpenLane(): boolean {
    return this.#names < this.#maxNames;
  }

  /** The default lane, or one with a new name. */
  open(): Lane {
    if (this.#onlyLane !== undefined) return this.#onlyLane;
    this.#names += 1;
    const name = `lane-${this.#names}`;
    const lane = new Lane(this.#connection, name);
    this.#lanes = [...this.#lanes, lane];
    this.#named.set(name, lane);
    return lane;
  }

  /** Called when a turn has begun on this lane. */
  turnStarted({ listener }: Lane): void {
    this.#peeks ||= listener?.asText === true;
  }

  /** The server has refused the name of this lane, and takes no further names on this connection. */
  removeLane(lane: Lane): void {
    this.#maxNames = 0;
    this.#lanes = this.#lanes.filter((other) => other !== lane);
    if (lane.streamId !== undefined) this.#named.delete(lane.streamId);
  }

  holds(responseId: string): boolean {
    for (const { chain } of this.#lanes) if (chain?.responseId === responseId) return true;
    return false;
  }

  /** Another lane of the connection is not idle. */
  othersRun(lane: Lane): boolean {
    for (const other of this.#lanes) if (other !== lane && !other.idle) return true;
    return false;
  }

  /** Another lane of the connection has a turn, or holds a response that may be continued. */
  othersBeside(lane: Lane): boolean {
    for (const other of this.#lanes) if (other !== lane && (!other.idle || other.chain !== undefined)) return true;
    return false;
  }

  /**
   * The frame, parsed as far as its turn needs it.
   *
   * @throws FrameError
   */
  parse(text: string, bytes: number): Frame {
    const peeks = this.#onlyLane === undefined ? this.#peeks : this.#onlyLane.listener?.asText === true;
    return peeks ? Frame.peek(text, bytes) : Frame.parse(text, bytes);
  }

  /** @throws FrameError for a frame that was peeked at, and is no JSON. */
  route(frame: Frame): FrameRoute {
    if (this.#onlyLane !== undefined) return this.#onlyLane;
    const id = streamIdOf(frame);
    if (id === undefined) return this.#routeUnnamed(frame);
    this.#echoesNames = true;
    const lane = typeof id === 'string' ? this.#named.get(id) : undefined;
    return lane ?? (isHousekeeping(frame) ? none : withoutTurn('for a lane on which'));
  }

  /** What a frame means that its lane has no turn for. */
  unclaimed(frame: Frame): Violation | undefined {
    if (isHousekeeping(frame)) return undefined;
    return withoutTurn(this.#onlyLane === undefined ? 'for a lane on which' : 'although');
  }

  #routeUnnamed(frame: Frame): FrameRoute {
    const inUse = this.#lanes.filter(({ idle }) => !idle);
    const [first] = inUse;
    if (first !== undefined && isError(frame.event)) return { name: 'all', lanes: inUse };
    if (isHousekeeping(frame)) return none;
    if (first !== undefined && inUse.length === 1 && !this.#echoesNames) {
      this.#onlyLane = first;
      return { name: 'unnamed', lane: first };
    }
    const cause = this.#echoesNames
      ? undefined
      : new LanesIgnoredError('the server does not name the lanes it answers on');
    return { name: 'violation', reason: 'the server sent an event without the stream_id of a lane', cause };
  }
}

const none: FrameRoute = { name: 'none' };

function withoutTurn(where: string): Violation {
  return { name: 'violation', reason: `the server sent an event ${where} no turn is running`, cause: undefined };
}
