import { TurnwireError } from '../protocol/errors.js';
import { unreadHighWaterBytes } from '../protocol/limits.js';
import { EventQueue } from './event-queue.js';
import type { ResponseEvent } from '../protocol/events.js';

type Result = IteratorResult<ResponseEvent, undefined>;

/** Who reads the events. `response` alone: nobody wants them one by one. `gone`: an iterator that has left. */
type Reader = 'nobody' | 'iterator' | 'response' | 'gone';

export interface DeliveryListener {
  /** More lies here unread than should. */
  full(): void;
  /** Enough of it was taken. */
  roomy(): void;
  /** The consumer stopped asking before the end. */
  left(): void;
}

/** The way of the events from a turn to whoever reads it: in order, once, and never more of them unread than a bound. */
export class Delivery {
  readonly #listener: DeliveryListener;
  readonly #queue = new EventQueue();
  readonly #pulls: { resolve: (result: Result) => void; reject: (error: TurnwireError) => void }[] = [];
  #reader: Reader = 'nobody';
  #full = false;
  #end: { error: TurnwireError | undefined } | undefined;

  constructor(listener: DeliveryListener) {
    this.#listener = listener;
  }

  get empty(): boolean {
    return this.#queue.empty;
  }

  hand(event: ResponseEvent, bytes: number): void {
    if (this.#reader === 'response' || this.#reader === 'gone') return;
    const pull = this.#pulls.shift();
    if (pull !== undefined) return pull.resolve({ done: false, value: event });
    this.#queue.push(event, bytes);
    if (this.#queue.bytes > unreadHighWaterBytes && !this.#full) {
      this.#full = true;
      this.#listener.full();
    }
  }

  /** No more events will come; those that lie here can still be taken. */
  finish(error: TurnwireError | undefined): void {
    this.#end = { error };
    for (const pull of this.#pulls.splice(0)) {
      if (error === undefined) pull.resolve(done);
      else pull.reject(error);
    }
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
  }

  /** @throws TurnwireError `turn_already_read` */
  iterate(): AsyncIterator<ResponseEvent, undefined> {
    if (this.#reader !== 'nobody') {
      throw new TurnwireError('turn_already_read', 'a turn can be read once: keep its events if they are needed twice');
    }
    this.#reader = 'iterator';
    return {
      next: () => this.#pull(),
      return: () => {
        this.#reader = 'gone';
        for (const pull of this.#pulls.splice(0)) pull.resolve(done);
        this.#listener.left();
        return Promise.resolve(done);
      },
    };
  }

  #pull(): Promise<Result> {
    if (this.#reader === 'gone') return Promise.resolve(done);
    const event = this.#queue.shift();
    if (event !== undefined) {
      this.#checkRoom();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#end === undefined) return new Promise((resolve, reject) => this.#pulls.push({ resolve, reject }));
    return this.#end.error === undefined ? Promise.resolve(done) : Promise.reject(this.#end.error);
  }

  #checkRoom(): void {
    if (!this.#full || this.#queue.bytes > unreadHighWaterBytes / 2) return;
    this.#full = false;
    this.#listener.roomy();
  }
}

const done: Result = { done: true, value: undefined };
