import { unreadHighWaterBytes } from '../../base/bounds.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { FrameQueue } from './frame-queue.js';
import type { Frame } from '../../protocol/frame.js';

/** Who consumes the events. `response`: only the final response is wanted. `gone`: the iterator has left. */
type Consumer = 'nobody' | 'iterator' | 'response' | 'gone';

/**
 * What the buffer tells its turn:
 *
 * - `full`: the unread events exceed the high-water mark;
 * - `roomy`: the consumer has read enough of them;
 * - `left`: the consumer has stopped before the end;
 * - `drained`: the consumer has taken the last event, and knows that it was the last. At most once.
 */
export type BufferSignal = 'full' | 'roomy' | 'left' | 'drained';

/** A promise for the next event. */
interface Pull {
  resolve: (result: IteratorResult<unknown, undefined>) => void;
  reject: (error: TurnwireError) => void;
}

/** An iterator that also gives events without a promise. */
export interface EventReader<Value> extends AsyncIterator<Value, undefined> {
  /** The next event if it is buffered; undefined does not mean the end. */
  poll(): Value | undefined;
}

/** Keeps the events of a turn until its consumer reads them: in order, once, and bounded. */
export class EventBuffer {
  /** The number of events that the consumer has taken. */
  taken = 0;
  readonly #signal: (news: BufferSignal) => void;
  readonly #queue = new FrameQueue();
  /** The oldest promise for the next event; usually the only one. */
  #waiting: Pull | undefined;
  readonly #moreWaiting: Pull[] = [];
  /** Makes of a frame what the consumer gets. */
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

  /** The consumer is behind: this is the one place that says so. */
  get full(): boolean {
    return this.#full;
  }

  /** The bytes of the unread events. */
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

  /** No further events come; buffered ones can still be read. */
  end(error: TurnwireError | undefined): void {
    this.#end = { error };
    this.#checkDrained();
    this.#settleWaiting(error);
  }

  /** Drops the buffered events. */
  clear(): void {
    this.#queue.clear();
  }

  /** Drops all events from now on, unless an iteration has begun. */
  discard(): void {
    if (this.#consumer !== 'nobody') return;
    this.#consumer = 'response';
    this.#queue.clear();
    this.#checkRoom();
    this.#checkDrained();
  }

  /**
   * @param as makes of a frame what the consumer gets.
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
        // A consumer that leaves after the last event has read everything.
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

  /** Takes the oldest promise for the next event. */
  #shiftWaiting(): Pull | undefined {
    const pull = this.#waiting;
    if (pull !== undefined) this.#waiting = this.#moreWaiting.shift();
    return pull;
  }

  /** Settles the promises that no event will settle. */
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
