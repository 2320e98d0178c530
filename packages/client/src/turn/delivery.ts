import { TurnwireError } from '../protocol/errors.js';
import { unreadHighWaterBytes } from '../protocol/limits.js';
import { FrameQueue } from './frame-queue.js';
import type { Frame } from '../protocol/frame.js';

/** Who reads the events. `response` alone: nobody wants them one by one. `gone`: an iterator that has left. */
type Consumer = 'nobody' | 'iterator' | 'response' | 'gone';

export interface DeliveryListener {
  /** More lies here unread than should. */
  full(): void;
  /** Enough of it was taken. */
  roomy(): void;
  /** The consumer stopped asking before the end. */
  left(): void;
  /** The consumer has taken the last event, and knows that it was the last. Called once, if ever. */
  drained(): void;
}

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
  readonly #listener: DeliveryListener;
  readonly #queue = new FrameQueue();
  readonly #pulls: Pull[] = [];
  /** What the reader gets for a frame. */
  #as: (frame: Frame) => unknown = (frame) => frame;
  #reader: Consumer = 'nobody';
  #full = false;
  #end: { error: TurnwireError | undefined } | undefined;

  constructor(listener: DeliveryListener) {
    this.#listener = listener;
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
    const pull = this.#pulls.shift();
    if (pull !== undefined) return pull.resolve({ done: false, value: this.#as(frame) });
    this.#queue.push(frame);
    if (this.#queue.bytes > unreadHighWaterBytes && !this.#full) {
      this.#full = true;
      this.#listener.full();
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
      next: () => this.#pull(as),
      poll: () => {
        const frame = this.#reader === 'gone' ? undefined : this.#shift();
        return frame && as(frame);
      },
      return: () => {
        // Who leaves after the last event has read it all.
        const over = this.#end !== undefined && this.#queue.empty;
        this.#reader = 'gone';
        this.#release(undefined);
        if (!over) this.#listener.left();
        return Promise.resolve(done);
      },
    };
  }

  #pull<Value>(as: (frame: Frame) => Value): Promise<IteratorResult<Value, undefined>> {
    if (this.#reader === 'gone') return Promise.resolve(done);
    const frame = this.#shift();
    if (frame !== undefined) return Promise.resolve({ done: false, value: as(frame) });
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(done) : Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#pulls.push({ resolve: resolve as Pull['resolve'], reject });
    });
  }

  /** Nothing more comes for those who wait. */
  #release(error: TurnwireError | undefined): void {
    for (const { resolve, reject } of this.#pulls.splice(0)) {
      if (error === undefined) resolve(done);
      else reject(error);
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
    this.#listener.roomy();
  }

  #checkDrained(): void {
    const reads = this.#reader === 'iterator' || this.#reader === 'response';
    if (reads && this.#end !== undefined && this.#end.error === undefined && this.#queue.empty)
      this.#listener.drained();
  }
}

const done = { done: true, value: undefined } as const;
