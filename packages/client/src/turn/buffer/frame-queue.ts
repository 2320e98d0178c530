import type { Frame } from '../../protocol/frame.js';

/** Frames that were received and not read yet, in order. */
export class FrameQueue {
  #frames: (Frame | undefined)[] = [];
  #head = 0;
  bytes = 0;

  get empty(): boolean {
    return this.#head === this.#frames.length;
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
    this.bytes += frame.size;
  }

  shift(): Frame | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.bytes -= frame.size;
    this.#frames[this.#head] = undefined;
    this.#head += 1;
    if (this.empty) this.clear();
    // A consumer that is always one event behind never empties the queue: read places are cut off.
    else if (this.#head >= 1024 && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
