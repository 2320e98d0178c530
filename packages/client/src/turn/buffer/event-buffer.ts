import { TurnwireError } from '../../protocol/errors/errors.js';
import { unreadHighWaterBytes } from '../../protocol/limits.js';
import { FrameQueue } from './frame-queue.js';
import type { Frame } from '../../protocol/frame.js';

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
export type BufferSignal = 'full' | 'roomy' | 'left' | 'drained';

/** One who waits for the next event: its promise's functions. */
interface Pull {
  resolve: (result: IteratorResult<unknown, undefined>) => void;
  reject: (error: TurnwireError) => void;
}

/** An iteration that can also be asked for what is here already. */
export interface EventReader<Value> extends AsyncIterator<Value, undefined> {
  /** The next one, if it has come; undefined says nothing of whether more will. */
  poll(): Value | undefined;
}

/** The way of the events from a turn to whoever reads it: in order, once, and never more of them unread than a bound. */
export class EventBuffer {
  /** Events that were taken from here. */
  taken = 0;
  readonly #signal: (news: BufferSignal) => void;
  readonly #queue = new FrameQueue();
  /** Who waits; mostly it is one, and then an array would be most of what waiting takes. */
  #waiting: Pull | undefined;
  readonly #moreWaiting: Pull[] = [];
  /** What the reader gets for a frame. */
  #map: (frame: Frame) => unknown = identity;
  #consumer: Consumer = 'nobody';
  #full = false;
  #end: { error: TurnwireError | undefined } | undefined;

  constructor(signal: (signal: BufferSignal) => void) {
    this.#signal = signal;
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

  push(frame: Frame): void {
    if (this.#consumer === 'response' || this.#consumer === 'gone') return;
    const pull = this.#shiftWaiting();
    if (pull !== undefined) return pull.resolve({ done: false, value: this.#map(frame) });
    this.#queue.push(frame);
    if (this.#queue.bytes > unreadHighWaterBytes && !this.#full) {
      this.#full = true;
      this.#signal('full');
    }
  }

  /** No more events will come; those that lie here can still be taken. */
  end(error: TurnwireError | undefined): void {
    this.#end = { error };
    this.#checkDrained();
    this.#settleWaiting(error);
  }

  /** Nobody wants what lies here any more. */
  clear(): void {
    this.#queue.clear();
  }

  /** From now on events are dropped, unless an iteration has begun. */
  discard(): void {
    if (this.#consumer !== 'nobody') return;
    this.#consumer = 'response';
    this.#queue.clear();
    this.#checkRoom();
    this.#checkDrained();
  }

  /**
   * @param as what the consumer gets for a frame.
   * @throws TurnwireError `turn_already_read`
   */
  read<Value>(as: (frame: Frame) => Value): EventReader<Value> {
    if (this.#consumer !== 'nobody') {
      throw new TurnwireError('turn_already_read', 'a turn can be read once: keep its events if they are needed twice');
    }
    this.#consumer = 'iterator';
    this.#map = as;
    return {
      next: () => this.#nextEvent(as),
      poll: () => {
        const frame = this.#consumer === 'gone' ? undefined : this.#shift();
        return frame && as(frame);
      },
      return: () => {
        // Who leaves after the last event has read it all.
        const over = this.#end !== undefined && this.#queue.empty;
        this.#consumer = 'gone';
        this.#settleWaiting(undefined);
        if (!over) this.#signal('left');
        return Promise.resolve(done);
      },
    };
  }

  #nextEvent<Value>(as: (frame: Frame) => Value): Promise<IteratorResult<Value, undefined>> {
    if (this.#consumer === 'gone') return Promise.resolve(done);
    const frame = this.#shift();
    if (frame !== undefined) return Promise.resolve({ done: false, value: as(frame) });
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(done) : Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      const pull = { resolve: resolve as Pull['resolve'], reject };
      if (this.#waiting === undefined) this.#waiting = pull;
      else this.#moreWaiting.push(pull);
    });
  }

  /** Who has waited for longest, and waits no more. */
  #shiftWaiting(): Pull | undefined {
    const pull = this.#waiting;
    if (pull !== undefined) this.#waiting = this.#moreWaiting.shift();
    return pull;
  }

  /** Nothing more comes for those who wait. */
  #settleWaiting(error: TurnwireError | undefined): void {
    for (let pull = this.#shiftWaiting(); pull !== undefined; pull = this.#shiftWaiting()) {
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
    this.#signal('roomy');
  }

  #checkDrained(): void {
    const reads = this.#consumer === 'iterator' || this.#consumer === 'response';
    if (reads && this.#end !== undefined && this.#end.error === undefined && this.#queue.empty) this.#signal('drained');
  }
}

function identity(frame: Frame): Frame {
  return frame;
}

const done = { done: true, value: undefined } as const;
