import { laneDrainBytes, laneDrainMs } from '../base/bounds.js';
import { startDeadline } from '../base/clock.js';
import { isError, terminalOf } from '../protocol/terminal.js';
import type { Clock, Timer } from '../base/clock.js';
import type { MessageText, WebSocketEnd } from '../network/client-websocket.js';
import type { Frame } from '../protocol/frame.js';
import type { ResponseIds } from '../response/response-ids.js';

/** The turn that runs on a lane. */
export interface LaneListener {
  /** The consumer takes text: opaque frames are not parsed. */
  readonly asText: boolean;
  event(frame: Frame): void;
  /** The server lives: a pong came, or an event of another lane. */
  alive(): void;
  /** The connection has ended. Called once; no call follows. */
  lost(end: WebSocketEnd): void;
}

/** The last response of a lane, which the server holds for its next turn (P70). */
export interface LaneChain {
  responseId: string;
  /** The server has stored the response: any connection can continue it. Otherwise only this lane can, and a fork beside it (P46, P71). */
  stored: boolean;
}

/** The connection, as its lanes see it. */
export interface LaneConnection {
  readonly number: number;
  readonly clock: Clock;
  /** The ids of responses and items that this connection has carried. */
  readonly ids: ResponseIds;
  readonly upgradeHeaders: Readonly<Record<string, string>>;
  /** When the last bytes came, on the clock: read once for all events that came together. */
  readonly heardAt: number;
  readonly lanes: {
    /** Another lane has a turn, or holds a response that may be continued. */
    othersBeside(lane: Lane): boolean;
    /** Another lane is not idle. */
    othersRun(lane: Lane): boolean;
    /** A lane of the connection holds this response. */
    holds(responseId: string): boolean;
    /** The server has refused the name of this lane, and takes no further names. */
    removeLane(lane: Lane): void;
  };
  send(frame: MessageText, done: (error: Error | undefined) => void): void;
  /** False when other turns use the socket: it is not paused then. */
  pause(): boolean;
  resume(): void;
  /** A turn has begun on the lane, or has left it. */
  laneChanged(lane: Lane): void;
  /** Drains the connection: it takes no new turns, and ends with its last one. */
  retire(reason: string): void;
  /** Ends the connection now. Every turn but that of `lane` is told. */
  end(reason: string, lane: Lane): void;
}

/**
 * idle ──▶ reserved ──▶ busy ──clean terminal──▶ idle
 *   └────────────────────▶└──left before it──▶ draining ──terminal──▶ idle
 *                                                 └──time or bytes──▶ abandoned
 */
type State =
  | { name: 'idle'; since: number }
  /** Kept for a turn that waits until its connection has been validated. */
  | { name: 'reserved'; since: number }
  | { name: 'busy'; listener: LaneListener }
  | { name: 'draining'; timer: Timer; bytes: number }
  /** Frames that still come are dropped. The connection is about to end. */
  | { name: 'abandoned' };

/** A queue of turns on one connection: one turn at a time, with one `stream_id` or none (P42, P43). */
export class Lane {
  readonly #connection: LaneConnection;
  /** The `stream_id` of this lane; undefined for the default lane. */
  readonly streamId: string | undefined;
  /** The response that this lane can continue. Cleared by a turn that does not complete (P72, P73). */
  chain: LaneChain | undefined;
  #state: State;

  constructor(bearer: LaneConnection, streamId: string | undefined) {
    this.#connection = bearer;
    this.streamId = streamId;
    this.#state = { name: 'idle', since: bearer.clock.now() };
  }

  /** The number of its connection. */
  get connectionNumber(): number {
    return this.#connection.number;
  }

  /** The response headers of the upgrade of its connection. */
  get upgradeHeaders(): Readonly<Record<string, string>> {
    return this.#connection.upgradeHeaders;
  }

  /** When the last bytes of its connection came, on the clock. */
  get heardAt(): number {
    return this.#connection.heardAt;
  }

  /** The ids that its connection has carried. */
  get ids(): ResponseIds {
    return this.#connection.ids;
  }

  /** Another turn runs on its connection, or an abandoned one is still being drained. */
  get othersRun(): boolean {
    return this.#connection.lanes.othersRun(this);
  }

  get idle(): boolean {
    return this.#state.name === 'idle';
  }

  get listener(): LaneListener | undefined {
    return this.#state.name === 'busy' ? this.#state.listener : undefined;
  }

  /** When the lane became idle, on the clock; 0 while it is in use. */
  get idleSince(): number {
    return this.#state.name === 'idle' ? this.#state.since : 0;
  }

  /** This lane or another one of its connection holds the response: a fork goes to another lane than its parent (P46). */
  holds(responseId: string): boolean {
    return this.#connection.lanes.holds(responseId);
  }

  /** Keeps the lane for one turn, until `release` or `assign`. */
  reserve(): void {
    if (this.#state.name !== 'idle')
      throw new Error(`a lane of connection ${this.connectionNumber} is ${this.#state.name}`);
    this.#state = { name: 'reserved', since: this.#state.since };
  }

  release(): void {
    if (this.#state.name !== 'reserved') return;
    this.#state = { name: 'idle', since: this.#state.since };
    this.#connection.laneChanged(this);
  }

  /** Gives the lane to a turn. Throws unless the lane is idle or reserved. */
  assign(listener: LaneListener): void {
    if (this.#state.name !== 'idle' && this.#state.name !== 'reserved')
      throw new Error(`a lane of connection ${this.connectionNumber} is ${this.#state.name}`);
    this.#state = { name: 'busy', listener };
    this.#connection.laneChanged(this);
  }

  /** Sends the turn's request; see `ClientWebSocket.send`. */
  send(frame: MessageText, done: (error: Error | undefined) => void): void {
    if (this.#state.name === 'busy') this.#connection.send(frame, done);
    else done(new Error(`a lane of connection ${this.connectionNumber} is ${this.#state.name}`));
  }

  /** False when other turns use the socket: frames go on arriving then. */
  pause(): boolean {
    return this.#state.name === 'busy' && this.#connection.pause();
  }

  resume(): void {
    if (this.#state.name === 'busy') this.#connection.resume();
  }

  /** The turn has ended with its terminal event. The lane is idle again. */
  complete(chain: LaneChain | undefined): void {
    if (this.#state.name !== 'busy') return;
    this.chain = chain;
    this.#becomeIdle();
  }

  /** As `complete`, and its connection takes no new turns: its age limit was reached, for example. */
  retire(reason: string): void {
    this.complete(undefined);
    this.#connection.retire(reason);
  }

  /** As `complete`, and the lane is removed: the server has refused its name. */
  rejectName(): void {
    this.complete(undefined);
    this.#connection.lanes.removeLane(this);
  }

  /**
   * The turn leaves before its terminal event. Nothing on this wire cancels a response (P32): if no other turn uses the socket, the socket is ended.
   * Otherwise the lane drops its frames up to the terminal event; with `forGood`, up to the end of the connection, because a turn was steered or its
   * server is not to be trusted.
   */
  abandon(reason: string, forGood = false): void {
    if (this.#state.name !== 'busy') return;
    if (!this.#connection.lanes.othersBeside(this)) return this.#connection.end(reason, this);
    this.chain = undefined;
    // A successor may follow the end of a steered response, and nothing here could tell: no other turn may get this lane.
    if (forGood) return this.#discard(reason);
    const timer = startDeadline(this.#connection.clock, laneDrainMs, () => this.#discard(reason), { background: true });
    this.#state = { name: 'draining', timer, bytes: 0 };
    this.#connection.laneChanged(this);
  }

  /** Ends the connection: an event of another response came on this lane (F4, F5). */
  poison(why: string): void {
    this.#connection.end(why, this);
  }

  /** @internal A frame of this lane. False if the lane has no turn. */
  event(frame: Frame): boolean {
    const state = this.#state;
    switch (state.name) {
      case 'busy':
        if (!state.listener.asText) void frame.event;
        state.listener.event(frame);
        return true;
      case 'draining':
        state.bytes += frame.size;
        if (isError(frame.event)) {
          // The `response.failed` of the same response may follow.
          state.timer.cancel();
          this.#discard('an aborted turn has failed');
        } else if (isLastFrame(frame)) {
          state.timer.cancel();
          this.#becomeIdle();
        } else if (state.bytes > laneDrainBytes) {
          state.timer.cancel();
          this.#discard('an aborted turn went on for too long');
        }
        return true;
      case 'abandoned':
        return true;
      default:
        return false;
    }
  }

  /** @internal Called when the connection has ended. */
  connectionClosed(): LaneListener | undefined {
    const { listener } = this;
    if (this.#state.name === 'draining') this.#state.timer.cancel();
    this.#state = { name: 'abandoned' };
    this.chain = undefined;
    return listener;
  }

  #becomeIdle(): void {
    this.#state = { name: 'idle', since: this.#connection.clock.now() };
    this.#connection.laneChanged(this);
  }

  #discard(reason: string): void {
    this.#state = { name: 'abandoned' };
    this.#connection.retire(reason);
  }
}

/** Whether a response that is being drained has ended. A steered one has a successor (P48). */
function isLastFrame(frame: Frame): boolean {
  if (frame.traits.terminal === undefined) return false;
  const terminal = terminalOf(frame.event);
  return terminal?.outcome === undefined || terminal.response.incomplete_details?.reason !== 'steered';
}
