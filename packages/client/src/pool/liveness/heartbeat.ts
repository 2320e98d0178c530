import { startDeadline } from '../../base/clock.js';
import { trustedSilenceMs, validationMs } from '../../protocol/limits.js';
import { isStall } from './clock-jump.js';
import type { Clock, Timer } from '../../base/clock.js';

export interface HeartbeatOptions {
  clock: Clock;
  /** Silence after which a ping goes out. */
  pingMs: number;
  /** For its pong. */
  pongMs: number;
}

/** What has a heartbeat. */
export interface HeartbeatTarget {
  readonly bytesRead: number;
  /** Nothing can be told now from what does not come: it is paused, or still sends. */
  readonly suspended: boolean;
  /** A turn runs. */
  readonly busy: boolean;
  ping(payload: string): void;
  /** Frames have come since the last beat. */
  framesReceived(): void;
  /** The process has stood still, or the clock was set. */
  processStalled(): void;
  /** No pong came. */
  pongMissed(): void;
}

/**
 * beating ──silence──▶ asked ──any frame──▶ beating
 *                        └──no frame within pongMs──▶ stopped
 */
type State = { name: 'beating' | 'stopped' } | { name: 'asked'; bytes: number };

/** Beats in the silence before a ping. */
const beats = 4;

/** Less than this within `pongMs` is no frame on its way, it is a drip (B9). */
const dripBytes = 1024;

/**
 * Whether the other side lives. Any frame is life; after a silence it is asked by a ping. Only a peer that has ever answered one is given up
 * for not answering (B3): some never do, and those are left to the limits of their turns.
 *
 * A frame costs nothing here but a flag: the time is looked at once a beat, four in the time before a ping. So what was heard is known
 * as at least as late as the beat before.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #target: HeartbeatTarget;
  #state: State = { name: 'beating' };
  #timer: Timer | undefined;
  /** Frames since the last beat. */
  #frameSeen = false;
  #beatAt: number;
  /** When the next beat is due. */
  #due = Infinity;
  #heardAt: number;
  #pingedAt = -Infinity;
  #lastPing = 0;
  #answersPings = false;
  /** The number of the ping whose pong ends it: what came before may have been on its way for long. */
  #trustedFromPing = 0;
  #validation: { ping: number; promise: Promise<boolean>; settle: (alive: boolean) => void } | undefined;

  constructor(options: HeartbeatOptions, of: HeartbeatTarget) {
    this.#options = options;
    this.#target = of;
    this.#beatAt = this.#heardAt = options.clock.now();
    this.#scheduleBeat();
  }

  /**
   * The connection has opened. One ping at once tells whether this peer answers any: a link may die under a connection that was never silent for
   * long enough to be asked, and its missing pong is to be judged as well (Q11).
   */
  start(): void {
    if (this.#options.pingMs !== Infinity) this.#ping();
  }

  /** A frame has come. */
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

  /** The last frame of a turn has just come. */
  turnEnded(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** It has not been heard of for so long, or since time has jumped, that it must be asked before it is used. */
  get needsValidation(): boolean {
    const now = this.#options.clock.now();
    // A process that goes on after a stop may ask here before the beat that would have noticed it (B6).
    const late = this.#state.name === 'beating' && isStall(now - this.#due);
    return late || this.#trustedFromPing > 0 || now - this.#heardAt > trustedSilenceMs;
  }

  /** From now on only the pong to a later ping is a sign of life. */
  distrust(): void {
    this.#trustedFromPing = this.#lastPing + 1;
    if (this.#target.busy && this.#state.name === 'beating') this.#requestPong();
  }

  /** Asks, and waits for the answer at most two seconds; whether it came. */
  validate(): Promise<boolean> {
    if (this.#validation !== undefined) return this.#validation.promise;
    if (this.#state.name === 'stopped') return Promise.resolve(false);
    let settle = (_alive: boolean): void => {};
    const promise = new Promise<boolean>((resolve) => (settle = resolve));
    this.#validation = { ping: this.#ping(), promise, settle };
    // Not a background timer: a turn waits for this one.
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
    // A peer that never answers is asked all the same: middleboxes forget who is silent (B8).
    if (!this.#answersPings) return this.#restart();
    // A pong waits behind a large frame, and our ping behind a large request.
    const arriving = this.#target.busy && this.#target.bytesRead - state.bytes >= dripBytes;
    if (arriving || this.#target.suspended) return this.#awaitPong();
    this.#target.pongMissed();
  }
}
