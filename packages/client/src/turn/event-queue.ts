import type { ResponseEvent } from '../protocol/events.js';

/** Events that were read and not yet asked for, in order, with their size. */
export class EventQueue {
  #events: (ResponseEvent | undefined)[] = [];
  #sizes: number[] = [];
  #head = 0;
  bytes = 0;

  get empty(): boolean {
    return this.#head === this.#events.length;
  }

  push(event: ResponseEvent, bytes: number): void {
    this.#events.push(event);
    this.#sizes.push(bytes);
    this.bytes += bytes;
  }

  shift(): ResponseEvent | undefined {
    if (this.empty) return undefined;
    const event = this.#events[this.#head];
    this.bytes -= this.#sizes[this.#head] ?? 0;
    this.#events[this.#head] = undefined;
    this.#head += 1;
    if (this.empty) this.clear();
    // A reader that is always one event behind never empties it: the places already read must go, too.
    else if (this.#head >= 1024 && this.#head * 2 >= this.#events.length) this.#compact();
    return event;
  }

  #compact(): void {
    this.#events = this.#events.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#events = [];
    this.#sizes = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
