import { openWebSocket } from '../network/open-websocket.js';
import { abnormalClosure, describeClose } from '../protocol/errors/close-codes.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { FrameError, isBlank } from '../protocol/frame.js';
import { MissingPongError } from '../protocol/errors/missing-pong.js';
import { doneMarker } from '../protocol/sse.js';
import { ResponseIds } from '../response/response-ids.js';
import { Heartbeat } from './liveness/heartbeat.js';
import { Lane } from './lane.js';
import { Lanes, LanesIgnoredError } from './lanes.js';
import { PausedSocket } from './liveness/paused-socket.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Diagnostics } from '../diagnostics.js';
import type { Network } from '../network/network.js';
import type { ClientWebSocket, MessageText, WebSocketEnd, WebSocketListener } from '../network/client-websocket.js';
import type { Frame } from '../protocol/frame.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { HeartbeatTarget } from './liveness/heartbeat.js';
import type { LaneConnection } from './lane.js';
import type { FrameRoute, Violation } from './lanes.js';

/**
 * dialling ──▶ open ──age, refused lanes, other credentials──▶ draining
 *     └─────────┴───────────────────────────────────────────────┴──▶ closed
 */
type State =
  | { name: 'dialling' }
  | { name: 'open'; socket: ClientWebSocket; heartbeat: Heartbeat; age: Timer }
  /** Takes no new turns, and ends with its last one. */
  | { name: 'draining'; socket: ClientWebSocket; heartbeat: Heartbeat; reason: string }
  | { name: 'closed' };

export interface ConnectionOptions {
  network: Network;
  clock: Clock;
  diagnostics: Diagnostics;
  dialMs: number;
  pingMs: number;
  pongMs: number;
  /** The longest time without a turn, in milliseconds; `Infinity` for no limit. */
  maxIdleMs: number;
}

/** The pool, as its connections see it. */
export interface ConnectionOwner {
  /** The connection has ended. Called once, and only for a connection that was open. */
  closed(connection: Connection): void;
  /** A lane of the connection is idle again. */
  laneFreed(connection: Connection): void;
  /** The connection was idle for too long; `count` chains end with it. */
  chainsGivenUp(count: number): void;
  /** The server was given lane names, and answers without them. */
  lanesIgnored(): void;
  /** The process has stood still: no connection is known to live. */
  processStalled(): void;
}

/**
 * One socket with its lanes, its age and its heartbeat. Each frame goes to the turn of the lane that it names. A frame without such a turn, unless it is
 * housekeeping, means that server and client disagree on what is going on: the connection ends (F4, F9).
 */
export class Connection implements LaneConnection, HeartbeatTarget, WebSocketListener {
  readonly number: number;
  readonly clock: Clock;
  readonly lanes: Lanes;
  readonly ids = new ResponseIds();
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  #state: State = { name: 'dialling' };
  /** Set while a consumer is behind. */
  #pausedSocket: PausedSocket | undefined;
  #inUse = false;
  /** The number of requests that the operating system has not taken yet. */
  #sending = 0;
  #openedAt = 0;
  #openedWall = 0;
  #maxAgeMs = Infinity;
  /** Closes the connection when it has carried no turn for `maxIdleMs`. */
  #idle: Timer | undefined;
  /** Why the socket ended before `dial` had returned. */
  #earlyEnd: string | undefined;
  #onClosed: (() => void) | undefined;

  /** @param limits of named lanes; undefined for the default lane alone. */
  constructor(number: number, options: ConnectionOptions, owner: ConnectionOwner, limits: LaneLimits | undefined) {
    this.number = number;
    this.clock = options.clock;
    this.#options = options;
    this.#owner = owner;
    this.lanes = new Lanes(this, limits);
  }

  /** The connection takes new turns. */
  get open(): boolean {
    return this.#state.name === 'open';
  }

  /** No lane is in use. */
  get idle(): boolean {
    return this.open && this.lanes.inUse === 0;
  }

  /** A turn runs on the connection. */
  get busy(): boolean {
    return this.#inUse;
  }

  /** When the connection was used last, on the clock. */
  get usedAt(): number {
    let last = this.#openedAt;
    for (const { idleSince } of this.lanes) last = Math.max(last, idleSince);
    return last;
  }

  /** Measured by the clock that has moved further: the server's age limit counts a sleep of this machine too (B6). */
  get ageMs(): number {
    return Math.max(0, this.clock.now() - this.#openedAt, this.clock.wall() - this.#openedWall);
  }

  get tooOld(): boolean {
    return this.ageMs >= this.#maxAgeMs;
  }

  /** A fingerprint of the headers of its handshake. */
  get identity(): string {
    return 'socket' in this.#state ? this.#state.socket.identity : '';
  }

  /** The response headers of its upgrade. */
  get upgradeHeaders(): Readonly<Record<string, string>> {
    return 'socket' in this.#state ? this.#state.socket.upgradeHeaders : {};
  }

  /** The connection must answer a ping before it is used. */
  get needsValidation(): boolean {
    return 'heartbeat' in this.#state && this.#state.heartbeat.needsValidation;
  }

  /** One more turn can begin: no consumer is behind, and no validation is due while turns run. */
  get hasCapacity(): boolean {
    return (
      this.open && this.lanes.hasCapacity && this.#pausedSocket === undefined && !(this.#inUse && this.needsValidation)
    );
  }

  /** @throws as `openWebSocket`. The connection is of no use then, and its owner is not told. */
  async dial(signal: AbortSignal, maxAgeMs: number): Promise<void> {
    const { network, clock, dialMs } = this.#options;
    const { origin } = network.endpoint;
    const begun = clock.now();
    this.#options.diagnostics.publish('dial', { connection: this.number, origin });
    const socket = await openWebSocket(network, this, { dialMs, clock, signal });
    this.#openedAt = clock.now();
    this.#openedWall = clock.wall();
    this.#maxAgeMs = maxAgeMs;
    if (this.#earlyEnd !== undefined) {
      socket.terminate();
      throw new TurnwireError(
        'dial_failed',
        `${origin} ended the connection right after opening it: ${this.#earlyEnd}`,
      );
    }
    const age = clock.after(maxAgeMs, () => this.#rotate(), { background: true });
    const heartbeat = new Heartbeat(this.#options, this);
    this.#state = { name: 'open', socket, heartbeat, age };
    heartbeat.start();
    this.#options.diagnostics.publish('open', { connection: this.number, origin, ms: clock.now() - begun });
  }

  /** The age limit for new turns has passed. */
  #rotate(): void {
    this.#options.diagnostics.publish('rotate', { connection: this.number, ageMs: this.ageMs });
    this.retire('too old');
  }

  /** The clocks have jumped: the age is computed anew, and the connection is validated before its next use. */
  distrust(): void {
    const state = this.#state;
    if (!('heartbeat' in state)) return;
    state.heartbeat.distrust();
    if (state.name !== 'open') return;
    state.age.cancel();
    if (this.tooOld) return this.#rotate();
    state.age = this.clock.after(this.#maxAgeMs - this.ageMs, () => this.#rotate(), { background: true });
  }

  /** Sends a ping; without an answer the connection is ended. Never rejects. */
  async validate(): Promise<boolean> {
    if (!('heartbeat' in this.#state)) return false;
    const alive = await this.#state.heartbeat.validate();
    if (!alive) this.destroy('it did not answer a ping');
    return alive;
  }

  send(frame: MessageText, done: (error: Error | undefined) => void): void {
    if (!('socket' in this.#state)) return done(new Error(`connection ${this.number} is ${this.#state.name}`));
    this.#sending += 1;
    this.#state.socket.send(frame, (error) => {
      this.#sending -= 1;
      done(error);
    });
  }

  pause(): boolean {
    if (!('socket' in this.#state) || this.lanes.inUse > 1) return false;
    this.#pausedSocket ??= new PausedSocket(this.clock, this.#state.socket);
    return true;
  }

  resume(): void {
    if (this.#pausedSocket === undefined) return;
    this.#pausedSocket.resume();
    this.#pausedSocket = undefined;
    // The connection has lanes for further turns again.
    if (this.open && this.lanes.named) this.#owner.laneFreed(this);
  }

  laneChanged(lane: Lane): void {
    const state = this.#state;
    if (!('socket' in state)) return;
    this.lanes.turnStarted(lane);
    const inUse = this.lanes.busy > 0;
    if (inUse && !this.#inUse) state.socket.ref();
    if (!inUse && this.#inUse) {
      this.resume();
      state.socket.unref();
    }
    this.#inUse = inUse;
    this.#watchIdle();
    if (lane.idle) state.heartbeat.turnEnded();
    if (state.name === 'draining') this.#endIfDrained(state.reason);
    else if (lane.idle) this.#owner.laneFreed(this);
  }

  #watchIdle(): void {
    const { maxIdleMs } = this.#options;
    this.#idle?.cancel();
    this.#idle = undefined;
    if (this.#inUse || maxIdleMs === Infinity) return;
    this.#idle = this.clock.after(maxIdleMs, () => this.#expire(), { background: true });
  }

  #expire(): void {
    if (!this.idle) return;
    this.#owner.chainsGivenUp([...this.lanes].filter(({ chain }) => chain?.stored === false).length);
    this.retire('it was idle for too long');
  }

  /** Takes no new turns, and ends with the last running one. An abandoned turn that is still drained does not count. */
  retire(reason: string): void {
    const state = this.#state;
    if (state.name === 'open') {
      state.age.cancel();
      this.#state = { name: 'draining', socket: state.socket, heartbeat: state.heartbeat, reason };
    }
    if (this.#state.name === 'draining') this.#endIfDrained(reason);
  }

  /** Closes with a close frame; resolves when the socket is gone. Only for a connection without turns. */
  close(reason: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (!this.#end(reason, (socket) => socket.close(1000, reason))) resolve();
    });
  }

  /** Ends the connection now. Its turns are not told: their client asks. */
  destroy(reason: string): void {
    this.#end(reason, (socket) => socket.terminate());
  }

  /** Ends the connection now. Every turn but that of `lane` is told. */
  end(reason: string, lane: Lane): void {
    lane.connectionClosed();
    this.#fail({ code: abnormalClosure, reason: '', violation: reason, cause: undefined });
  }

  get bytesRead(): number {
    return 'socket' in this.#state ? this.#state.socket.bytesRead : 0;
  }

  get heardAt(): number {
    return 'socket' in this.#state ? this.#state.socket.heardAt : this.#openedAt;
  }

  get suspended(): boolean {
    return this.#pausedSocket !== undefined || this.#sending > 0;
  }

  ping(payload: string): void {
    if ('socket' in this.#state) this.#state.socket.ping(payload);
  }

  /** Tells every turn that the socket lives. A turn that is alone knows by its own events. */
  framesReceived(): void {
    if (this.lanes.busy > 1) this.#notifyAlive();
  }

  processStalled(): void {
    this.#owner.processStalled();
  }

  pongMissed(): void {
    const cause = new MissingPongError(this.#options.pongMs);
    this.#fail({ code: abnormalClosure, reason: '', violation: undefined, cause });
  }

  message(text: string, bytes: number): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    if (state.name !== 'dialling') state.heartbeat.frameReceived();
    this.#pausedSocket?.received(bytes);
    // A gateway that has its events from a stream may pass on the end of that.
    if (isBlank(text) || (text === doneMarker && this.ids.atRest)) return this.#notifyAlive();
    try {
      const frame = this.lanes.parse(text, bytes);
      const route = this.lanes.route(frame);
      if (!(route instanceof Lane)) return this.#handleIrregular(route, frame);
      if (route.event(frame)) return;
      const violation = this.lanes.unclaimed(frame);
      if (violation !== undefined) this.#violate(violation);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#violate({ name: 'violation', reason: `the server sent ${error.message}`, cause: undefined });
    }
  }

  pinged(): void {
    if ('heartbeat' in this.#state) this.#state.heartbeat.frameReceived();
    this.#notifyAlive();
  }

  ponged(payload: string): void {
    if ('heartbeat' in this.#state) this.#state.heartbeat.pongReceived(payload);
    this.#notifyAlive();
  }

  closed(end: WebSocketEnd): void {
    this.#onClosed?.();
    if (this.#state.name === 'dialling') this.#earlyEnd ??= end.violation ?? describeClose(end.code, end.reason);
    else this.#fail(end, end.code);
  }

  #handleIrregular(route: Exclude<FrameRoute, Lane>, frame: Frame): void {
    switch (route.name) {
      case 'none':
        return;
      case 'unnamed':
        route.lane.event(frame);
        return this.#owner.lanesIgnored();
      case 'all':
        for (const lane of route.lanes) lane.event(frame);
        return this.retire('an error of the whole connection');
      case 'violation':
        return this.#violate(route);
    }
  }

  #violate({ reason, cause }: Violation): void {
    if (cause instanceof LanesIgnoredError) this.#owner.lanesIgnored();
    if (this.#state.name === 'dialling') this.#earlyEnd ??= reason;
    else this.#fail({ code: abnormalClosure, reason: '', violation: reason, cause });
  }

  #notifyAlive(): void {
    for (const { listener } of this.lanes) listener?.alive();
  }

  #endIfDrained(reason: string): void {
    if (!this.#inUse) void this.close(reason);
  }

  /** Ends the connection, and tells its turns. With a `code` the server has ended it. */
  #fail(end: WebSocketEnd, code?: number): void {
    const listeners = [...this.lanes].map(({ listener }) => listener);
    const reason = code === undefined ? (end.violation ?? end.cause?.message ?? '') : end.reason;
    if (!this.#end(reason, (socket) => socket.terminate(), code)) return;
    for (const listener of listeners) listener?.lost(end);
  }

  #end(reason: string, how: (socket: ClientWebSocket) => void, code?: number): boolean {
    const state = this.#state;
    if (state.name === 'closed' || state.name === 'dialling') return false;
    this.#state = { name: 'closed' };
    this.#idle?.cancel();
    state.heartbeat.stop();
    if (state.name === 'open') state.age.cancel();
    this.resume();
    for (const lane of this.lanes) lane.connectionClosed();
    this.#inUse = false;
    this.#options.diagnostics.publish('close', { connection: this.number, code, reason });
    this.#owner.closed(this);
    state.socket.unref();
    how(state.socket);
    return true;
  }
}
