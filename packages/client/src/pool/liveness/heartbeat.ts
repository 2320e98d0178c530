import { minProgressBytes, trustedSilenceMs, validationMs } from '../../base/bounds.js';
import { startDeadline } from '../../base/clock.js';
import { isStall } from './clock-jump.js';
import type { Clock, Timer } from '../../base/clock.js';

export interface HeartbeatOptions {
  clock: Clock;
  /** After a silence of this length a ping is sent, in milliseconds. */
  pingMs: number;
  /** How long a pong may take, in milliseconds. */
  pongMs: number;
}

/** The connection, as its heartbeat sees it. */
export interface HeartbeatTarget {
  readonly bytesRead: number;
  /** A missing pong proves nothing now: the socket is paused, or a request is still being written. */
  readonly suspended: boolean;
  /** A turn runs on the connection. */
  readonly busy: boolean;
  ping(payload: string): void;
  /** Frames were received since the last beat. */
  framesReceived(): void;
  /** The process has stood still, or the clock was set. */
  processStalled(): void;
  /** The pong did not come in time. */
  pongMissed(): void;
}

/**
 * beating ──silence──▶ asked ──any frame──▶ beating
 *                        └──no frame within pongMs──▶ stopped
 */
type State = { name: 'beating' | 'stopped' } | { name: 'asked'; bytes: number };

/** The number of beats in the time before a ping. */
const beats = 4;

/**
 * Tells whether the server lives. Any frame proves it; after a silence a ping asks. Only a server that has answered a ping before is given up for a
 * missing pong (B3): some servers never answer, and the time-outs of their turns apply.
 *
 * A frame sets a flag, and the clock is read once a beat. The time of the last frame is therefore known to a quarter of `pingMs`.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #target: HeartbeatTarget;
  #state: State = { name: 'beating' };
  #timer: Timer | undefined;
  /** A frame was received since the last beat. */
  #frameSeen = false;
  #beatAt: number;
  /** When the next beat is due, on the clock. */
  #due = Infinity;
  #heardAt: number;
  #pingedAt = -Infinity;
  #lastPing = 0;
  #answersPings = false;
  /** Only the pong to this ping, or to a later one, restores trust: earlier ones may have been on their way for long. 0 for none. */
  #trustedFromPing = 0;
  #validation: { ping: number; promise: Promise<boolean>; settle: (alive: boolean) => void } | undefined;

  constructor(options: HeartbeatOptions, of: HeartbeatTarget) {
    this.#options = options;
    this.#target = of;
    this.#beatAt = this.#heardAt = options.clock.now();
    this.#scheduleBeat();
  }

  /**
   * Called when the connection has opened. A first ping finds out whether this server answers pings, so that a later missing pong can be judged even if
   * the connection was never silent before (Q11).
   */
  start(): void {
    if (this.#options.pingMs !== Infinity) this.#ping();
  }

  /** Called for each frame. */
  frameReceived(): void {
    this.#frameSeen = true;
    if (this.#state.name !== 'beating') this.#restart();
  }

  pongReceived(payload: string): void {
    this.#answersPings = true;
    const ping = Number(payload);
    if (ping >= this.#trustedFromPing) this.#trustedFromPing = 0;
    if (this.#validation !== undefined && ping >= this.#validation.ping) this.#settle(true);
    this.#heardAt = this.#options.clock.now();
    this.frameReceived();
  }

  /** Called with the last frame of a turn. */
  turnEnded(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** The last sign of life is too old, or older than a clock jump: a ping must be answered before the connection is used. */
  get needsValidation(): boolean {
    const now = this.#options.clock.now();
    // A process that goes on after a stop may ask here before the beat that would have noticed it (B6).
    const late = this.#state.name === 'beating' && isStall(now - this.#due);
    return late || this.#trustedFromPing > 0 || now - this.#heardAt > trustedSilenceMs;
  }

  /** Called when the clocks have jumped: from now on only the pong to a later ping is a sign of life. */
  distrust(): void {
    this.#trustedFromPing = this.#lastPing + 1;
    if (this.#target.busy && this.#state.name === 'beating') this.#requestPong();
  }

  /** Sends a ping, and resolves with whether its pong came within two seconds. */
  validate(): Promise<boolean> {
    if (this.#validation !== undefined) return this.#validation.promise;
    if (this.#state.name === 'stopped') return Promise.resolve(false);
    let settle = (_alive: boolean): void => {};
    const promise = new Promise<boolean>((resolve) => (settle = resolve));
    this.#validation = { ping: this.#ping(), promise, settle };
    // Keeps the process alive: a turn waits for this timer.
    const timer = startDeadline(this.#options.clock, validationMs, () => this.#settle(false));
    void promise.then(() => timer.cancel());
    return promise;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#state = { name: 'stopped' };
    this.#settle(false);
  }

  #settle(alive: boolean): void {
    const check = this.#validation;
    this.#validation = undefined;
    check?.settle(alive);
  }

  #scheduleBeat(): void {
    const { clock, pingMs } = this.#options;
    const ms = pingMs / beats;
    this.#due = clock.now() + ms;
    this.#timer = clock.after(ms, () => this.#beat(), { background: true });
  }

  #beat(): void {
    const now = this.#options.clock.now();
    if (this.#frameSeen) {
      this.#frameSeen = false;
      this.#heardAt = Math.max(this.#heardAt, this.#beatAt);
      this.#target.framesReceived();
    }
    this.#beatAt = now;
    if (isStall(now - this.#due)) this.#target.processStalled();
    if (this.#state.name !== 'beating') return;
    const silentMs = now - Math.max(this.#heardAt, this.#pingedAt);
    // Timers may fire a fraction early.
    if (silentMs >= this.#options.pingMs - 1 && !this.#target.suspended) this.#requestPong();
    else this.#scheduleBeat();
  }

  #restart(): void {
    if (this.#state.name === 'stopped') return;
    this.#timer?.cancel();
    this.#state = { name: 'beating' };
    this.#beatAt = this.#options.clock.now();
    this.#scheduleBeat();
  }

  #requestPong(): void {
    this.#timer?.cancel();
    this.#pingedAt = this.#options.clock.now();
    this.#ping();
    this.#awaitPong();
  }

  #ping(): number {
    this.#lastPing += 1;
    this.#target.ping(String(this.#lastPing));
    return this.#lastPing;
  }

  #awaitPong(): void {
    const { clock, pongMs } = this.#options;
    this.#state = { name: 'asked', bytes: this.#target.bytesRead };
    this.#timer = startDeadline(clock, pongMs, () => this.#pongOverdue(), { background: true });
  }

  #pongOverdue(): void {
    const state = this.#state;
    if (state.name !== 'asked') return;
    // A server that never answers gets pings all the same: middleboxes forget a silent connection (B8).
    if (!this.#answersPings) return this.#restart();
    // The pong may wait behind a large frame, and the ping behind a large request.
    const arriving = this.#target.busy && this.#target.bytesRead - state.bytes >= minProgressBytes;
    if (arriving || this.#target.suspended) return this.#awaitPong();
    this.#target.pongMissed();
  }
}
