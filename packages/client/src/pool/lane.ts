import { startDeadline } from '../base/clock.js';
import { laneDrainBytes, laneDrainMs } from '../protocol/limits.js';
import { isError, terminalOf } from '../protocol/terminal.js';
import type { Clock, Timer } from '../base/clock.js';
import type { WebSocketEnd } from '../network/client-websocket.js';
import type { Frame } from '../protocol/frame.js';
import type { ResponseIds } from '../response/response-ids.js';

/** The turn that has a lane for itself. */
export interface LaneListener {
  /** It takes text: frames into which nobody looks are not parsed. */
  readonly asText: boolean;
  event(frame: Frame): void;
  /** Something came that is not its own: a pong, or an event of another lane. The other side lives. */
  alive(): void;
  /** Called once, and nothing after it. */
  lost(end: WebSocketEnd): void;
}

/** What the server keeps of the last response on this lane (P70). */
export interface LaneChain {
  responseId: string;
  /** The server has stored it: any connection can continue it. Otherwise only this lane can, and a fork beside it (P46, P71). */
  stored: boolean;
}

/** What a lane needs of its connection. */
export interface LaneConnection {
  readonly number: number;
  readonly clock: Clock;
  /** Those that its responses have had, and their items. */
  readonly ids: ResponseIds;
  readonly upgradeHeaders: Readonly<Record<string, string>>;
  readonly lanes: {
    /** Others use the connection, or hold what they may want to continue. */
    othersBeside(lane: Lane): boolean;
    /** A lane beside it is not idle. */
    othersRun(lane: Lane): boolean;
    /** Any of its lanes holds it. */
    holds(responseId: string): boolean;
    /** The server takes no more names, and has not taken this one. */
    removeLane(lane: Lane): void;
  };
  send(frame: string, done: (error: Error | undefined) => void): void;
  /** False where others use the socket. */
  pause(): boolean;
  resume(): void;
  /** The lane has got a turn, or has lost it. */
  laneChanged(lane: Lane): void;
  /** Takes no new turns, and ends when the last of its turns has. */
  retire(reason: string): void;
  /** Ends it now; `lane` is not told, for it is the one who asks. */
  end(reason: string, lane: Lane): void;
}

/**
 * idle ──▶ reserved ──▶ busy ──clean terminal──▶ idle
 *   └────────────────────▶└──left before it──▶ draining ──terminal──▶ idle
 *                                                 └──time or bytes──▶ abandoned
 */
type State =
  | { name: 'idle'; since: number }
  /** Its connection is asked whether it lives, for a turn that waits. */
  | { name: 'reserved'; since: number }
  | { name: 'busy'; listener: LaneListener }
  | { name: 'draining'; timer: Timer; bytes: number }
  /** What still comes is nobody's. The connection is about to end. */
  | { name: 'abandoned' };

/** One turn after the other, on one connection and with one `stream_id` or none (P42, P43). */
export class Lane {
  readonly #connection: LaneConnection;
  /** Its name on the wire; undefined for the default lane. */
  readonly streamId: string | undefined;
  /** Set when a turn has completed here; forgotten when one has not (P72, P73). */
  chain: LaneChain | undefined;
  #state: State;

  constructor(bearer: LaneConnection, streamId: string | undefined) {
    this.#connection = bearer;
    this.streamId = streamId;
    this.#state = { name: 'idle', since: bearer.clock.now() };
  }

  /** Its connection's number. */
  get connectionNumber(): number {
    return this.#connection.number;
  }

  /** What its connection was greeted with: the headers of the upgrade's answer. */
  get upgradeHeaders(): Readonly<Record<string, string>> {
    return this.#connection.upgradeHeaders;
  }

  /** Those of the responses of its connection. */
  get ids(): ResponseIds {
    return this.#connection.ids;
  }

  /** Another turn runs on its connection, or one that was given up there still sends. */
  get othersRun(): boolean {
    return this.#connection.lanes.othersRun(this);
  }

  get idle(): boolean {
    return this.#state.name === 'idle';
  }

  get listener(): LaneListener | undefined {
    return this.#state.name === 'busy' ? this.#state.listener : undefined;
  }

  /** When it became idle, on the clock; 0 while it is not. */
  get idleSince(): number {
    return this.#state.name === 'idle' ? this.#state.since : 0;
  }

  /** It or another lane of its connection: a fork is sent on another lane than its parent (P46). */
  holds(responseId: string): boolean {
    return this.#connection.lanes.holds(responseId);
  }

  /** Nobody else is given it until `release` or `occupy`. */
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

  /** Gives it to one turn. Only an idle one can be taken, or the one that was reserved for it. */
  assign(listener: LaneListener): void {
    if (this.#state.name !== 'idle' && this.#state.name !== 'reserved')
      throw new Error(`a lane of connection ${this.connectionNumber} is ${this.#state.name}`);
    this.#state = { name: 'busy', listener };
    this.#connection.laneChanged(this);
  }

  /** The turn's request; see `Socket.send`. */
  send(frame: string, done: (error: Error | undefined) => void): void {
    if (this.#state.name === 'busy') this.#connection.send(frame, done);
    else done(new Error(`a lane of connection ${this.connectionNumber} is ${this.#state.name}`));
  }

  /** False where other turns share the socket: then everything goes on arriving. */
  pause(): boolean {
    return this.#state.name === 'busy' && this.#connection.pause();
  }

  resume(): void {
    if (this.#state.name === 'busy') this.#connection.resume();
  }

  /** The turn has read a clean terminal event: the next may begin. */
  complete(chain: LaneChain | undefined): void {
    if (this.#state.name !== 'busy') return;
    this.chain = chain;
    this.#becomeIdle();
  }

  /** As `vacate`, but its connection takes no new turns: its age limit was reached, for example. */
  retire(reason: string): void {
    this.complete(undefined);
    this.#connection.retire(reason);
  }

  /** As `vacate`: the server takes no more names on this connection, and has not taken this one. */
  rejectName(): void {
    this.complete(undefined);
    this.#connection.lanes.removeLane(this);
  }

  /**
   * The turn leaves before its terminal event, and nothing on this wire cancels a response (P32). Where it had the socket for itself, that is
   * the end of the socket. Otherwise what still comes is dropped up to the terminal event, or to the end of the connection: `forGood`, since a turn was
   * steered or its server is not to be trusted.
   */
  abandon(reason: string, forGood = false): void {
    if (this.#state.name !== 'busy') return;
    if (!this.#connection.lanes.othersBeside(this)) return this.#connection.end(reason, this);
    this.chain = undefined;
    // Whether a successor follows the end of a steered response, nobody here can tell any more: no other turn may be given this lane.
    if (forGood) return this.#discard(reason);
    const timer = startDeadline(this.#connection.clock, laneDrainMs, () => this.#discard(reason), { background: true });
    this.#state = { name: 'draining', timer, bytes: 0 };
    this.#connection.laneChanged(this);
  }

  /** Its connection is poisoned: what came here was no event of this turn (F4, F5). */
  poison(why: string): void {
    this.#connection.end(why, this);
  }

  /** @internal A frame of this lane; false if it has no turn to which it could belong. */
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
          // A `response.failed` that belongs to it may follow.
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

  /** @internal Its connection has ended. */
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

/** Whether a response that nobody reads has ended; one that was steered has a successor (P48). */
function isLastFrame(frame: Frame): boolean {
  if (frame.traits.terminal === undefined) return false;
  const terminal = terminalOf(frame.event);
  return terminal?.outcome === undefined || terminal.response.incomplete_details?.reason !== 'steered';
}
