import { TurnwireError } from '../protocol/errors/errors.js';
import { unreadHighWaterBytes } from '../protocol/limits.js';
import { FrameQueue } from './frame-queue.js';
import type { Frame } from '../protocol/frame.js';

/** Who reads the events. `response` alone: nobody wants them one by one. `gone`: an iterator that has left. */
type Consumer = 'nobody' | 'iterator' | 'response' | 'gone';

/**
 * What becomes of the events:
 *
 * - `full`: more lies here unread than should;
 * - `roomy`: enough of it was taken;
 * - `left`: the consumer stopped asking before the end;
 * - `drained`: it has taken the last event, and knows that it was the last. Said once, if ever.
 */
export type DeliveryNews = 'full' | 'roomy' | 'left' | 'drained';

/** One who waits for the next event: its promise's functions. */
interface Pull {
  resolve: (result: IteratorResult<unknown, undefined>) => void;
  reject: (error: TurnwireError) => void;
}

/** An iteration that can also be asked for what is here already. */
export interface Reader<Value> extends AsyncIterator<Value, undefined> {
  /** The next one, if it has come; undefined says nothing of whether more will. */
  poll(): Value | undefined;
}

/** The way of the events from a turn to whoever reads it: in order, once, and never more of them unread than a bound. */
export class Delivery {
  /** Events that were taken from here. */
  taken = 0;
  readonly #tell: (news: DeliveryNews) => void;
  readonly #queue = new FrameQueue();
  /** Who waits; mostly it is one, and then an array would be most of what waiting takes. */
  #pull: Pull | undefined;
  readonly #morePulls: Pull[] = [];
  /** What the reader gets for a frame. */
  #as: (frame: Frame) => unknown = asItIs;
  #reader: Consumer = 'nobody';
  #full = false;
  #end: { error: TurnwireError | undefined } | undefined;

  constructor(tell: (news: DeliveryNews) => void) {
    this.#tell = tell;
  }

  get empty(): boolean {
    return this.#queue.empty;
  }

  /** More lies here than should, and is not being read. */
  get full(): boolean {
    return this.#full;
  }

  /** Of what lies here unread. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  hand(frame: Frame): void {
    if (this.#reader === 'response' || this.#reader === 'gone') return;
    const pull = this.#next();
    if (pull !== undefined) return pull.resolve({ done: false, value: this.#as(frame) });
    this.#queue.push(frame);
    if (this.#queue.bytes > unreadHighWaterBytes && !this.#full) {
      this.#full = true;
      this.#tell('full');
    }
  }

  /** No more events will come; those that lie here can still be taken. */
  finish(error: TurnwireError | undefined): void {
    this.#end = { error };
    this.#checkDrained();
    this.#release(error);
  }

  /** Nobody wants what lies here any more. */
  clear(): void {
    this.#queue.clear();
  }

  /** From now on events are dropped, unless an iteration has begun. */
  drop(): void {
    if (this.#reader !== 'nobody') return;
    this.#reader = 'response';
    this.#queue.clear();
    this.#checkRoom();
    this.#checkDrained();
  }

  /**
   * @param as what the consumer gets for a frame.
   * @throws TurnwireError `turn_already_read`
   */
  iterate<Value>(as: (frame: Frame) => Value): Reader<Value> {
    if (this.#reader !== 'nobody') {
      throw new TurnwireError('turn_already_read', 'a turn can be read once: keep its events if they are needed twice');
    }
    this.#reader = 'iterator';
    this.#as = as;
    return {
      next: () => this.#ask(as),
      poll: () => {
        const frame = this.#reader === 'gone' ? undefined : this.#shift();
        return frame && as(frame);
      },
      return: () => {
        // Who leaves after the last event has read it all.
        const over = this.#end !== undefined && this.#queue.empty;
        this.#reader = 'gone';
        this.#release(undefined);
        if (!over) this.#tell('left');
        return Promise.resolve(done);
      },
    };
  }

  #ask<Value>(as: (frame: Frame) => Value): Promise<IteratorResult<Value, undefined>> {
    if (this.#reader === 'gone') return Promise.resolve(done);
    const frame = this.#shift();
    if (frame !== undefined) return Promise.resolve({ done: false, value: as(frame) });
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(done) : Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      const pull = { resolve: resolve as Pull['resolve'], reject };
      if (this.#pull === undefined) this.#pull = pull;
      else this.#morePulls.push(pull);
    });
  }

  /** Who has waited for longest, and waits no more. */
  #next(): Pull | undefined {
    const pull = this.#pull;
    if (pull !== undefined) this.#pull = this.#morePulls.shift();
    return pull;
  }

  /** Nothing more comes for those who wait. */
  #release(error: TurnwireError | undefined): void {
    for (let pull = this.#next(); pull !== undefined; pull = this.#next()) {
      if (error === undefined) pull.resolve(done);
      else pull.reject(error);
    }
  }

  #shift(): Frame | undefined {
    const frame = this.#queue.shift();
    if (frame === undefined) return undefined;
    this.taken += 1;
    this.#checkRoom();
    this.#checkDrained();
    return frame;
  }

  #checkRoom(): void {
    if (!this.#full || this.#queue.bytes > unreadHighWaterBytes / 2) return;
    this.#full = false;
    this.#tell('roomy');
  }

  #checkDrained(): void {
    const reads = this.#reader === 'iterator' || this.#reader === 'response';
    if (reads && this.#end !== undefined && this.#end.error === undefined && this.#queue.empty) this.#tell('drained');
  }
}

function asItIs(frame: Frame): Frame {
  return frame;
}

const done = { done: true, value: undefined } as const;
