import { startDeadline } from '../base/clock.js';
import { trustedSilenceMs, validationMs } from '../protocol/limits.js';
import { isStandstill } from './continuity.js';
import type { Clock, Timer } from '../base/clock.js';

export interface HeartbeatOptions {
  clock: Clock;
  /** Silence after which a ping goes out. */
  pingMs: number;
  /** For its pong. */
  pongMs: number;
}

/** What has a heartbeat. */
export interface Beating {
  readonly bytesRead: number;
  /** Nothing can be told now from what does not come: it is paused, or still sends. */
  readonly unjudgeable: boolean;
  /** A turn runs. */
  readonly busy: boolean;
  ping(payload: string): void;
  /** Frames have come since the last beat. */
  heard(): void;
  /** The process has stood still, or the clock was set. */
  stoodStill(): void;
  /** No pong came. */
  dead(): void;
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
  readonly #of: Beating;
  #state: State = { name: 'beating' };
  #timer: Timer | undefined;
  /** Frames since the last beat. */
  #flag = false;
  #beatAt: number;
  /** When the next beat is due. */
  #due = Infinity;
  #heardAt: number;
  #askedAt = -Infinity;
  #pings = 0;
  #answers = false;
  /** The number of the ping whose pong ends it: what came before may have been on its way for long. */
  #suspectUntil = 0;
  #check: { ping: number; promise: Promise<boolean>; settle: (alive: boolean) => void } | undefined;

  constructor(options: HeartbeatOptions, of: Beating) {
    this.#options = options;
    this.#of = of;
    this.#beatAt = this.#heardAt = options.clock.now();
    this.#next();
  }

  /**
   * The connection has opened. One ping at once tells whether this peer answers any: a link may die under a connection that was never silent for
   * long enough to be asked, and its missing pong is to be judged as well (Q11).
   */
  begin(): void {
    if (this.#options.pingMs !== Infinity) this.#ping();
  }

  /** A frame has come. */
  frame(): void {
    this.#flag = true;
    if (this.#state.name !== 'beating') this.#beatAgain();
  }

  pong(payload: string): void {
    this.#answers = true;
    const ping = Number(payload);
    if (ping >= this.#suspectUntil) this.#suspectUntil = 0;
    if (this.#check !== undefined && ping >= this.#check.ping) this.#settle(true);
    this.#heardAt = this.#options.clock.now();
    this.frame();
  }

  /** The last frame of a turn has just come. */
  rest(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** It has not been heard of for so long, or since time has jumped, that it must be asked before it is used. */
  get doubtful(): boolean {
    const now = this.#options.clock.now();
    // A process that goes on after a stop may ask here before the beat that would have noticed it (B6).
    const late = this.#state.name === 'beating' && isStandstill(now - this.#due);
    return late || this.#suspectUntil > 0 || now - this.#heardAt > trustedSilenceMs;
  }

  /** From now on only the pong to a later ping is a sign of life. */
  suspect(): void {
    this.#suspectUntil = this.#pings + 1;
    if (this.#of.busy && this.#state.name === 'beating') this.#ask();
  }

  /** Asks, and waits for the answer at most two seconds; whether it came. */
  check(): Promise<boolean> {
    if (this.#check !== undefined) return this.#check.promise;
    if (this.#state.name === 'stopped') return Promise.resolve(false);
    let settle = (_alive: boolean): void => {};
    const promise = new Promise<boolean>((resolve) => (settle = resolve));
    this.#check = { ping: this.#ping(), promise, settle };
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
    const check = this.#check;
    this.#check = undefined;
    check?.settle(alive);
  }

  #next(): void {
    const { clock, pingMs } = this.#options;
    const ms = pingMs / beats;
    this.#due = clock.now() + ms;
    this.#timer = clock.after(ms, () => this.#beat(), { background: true });
  }

  #beat(): void {
    const now = this.#options.clock.now();
    if (this.#flag) {
      this.#flag = false;
      this.#heardAt = Math.max(this.#heardAt, this.#beatAt);
      this.#of.heard();
    }
    this.#beatAt = now;
    if (isStandstill(now - this.#due)) this.#of.stoodStill();
    if (this.#state.name !== 'beating') return;
    const silentMs = now - Math.max(this.#heardAt, this.#askedAt);
    // Timers may fire a fraction early.
    if (silentMs >= this.#options.pingMs - 1 && !this.#of.unjudgeable) this.#ask();
    else this.#next();
  }

  #beatAgain(): void {
    if (this.#state.name === 'stopped') return;
    this.#timer?.cancel();
    this.#state = { name: 'beating' };
    this.#beatAt = this.#options.clock.now();
    this.#next();
  }

  #ask(): void {
    this.#timer?.cancel();
    this.#askedAt = this.#options.clock.now();
    this.#ping();
    this.#wait();
  }

  #ping(): number {
    this.#pings += 1;
    this.#of.ping(String(this.#pings));
    return this.#pings;
  }

  #wait(): void {
    const { clock, pongMs } = this.#options;
    this.#state = { name: 'asked', bytes: this.#of.bytesRead };
    this.#timer = startDeadline(clock, pongMs, () => this.#overdue(), { background: true });
  }

  #overdue(): void {
    const state = this.#state;
    if (state.name !== 'asked') return;
    // A peer that never answers is asked all the same: middleboxes forget who is silent (B8).
    if (!this.#answers) return this.#beatAgain();
    // A pong waits behind a large frame, and our ping behind a large request.
    const arriving = this.#of.busy && this.#of.bytesRead - state.bytes >= dripBytes;
    if (arriving || this.#of.unjudgeable) return this.#wait();
    this.#of.dead();
  }
}
