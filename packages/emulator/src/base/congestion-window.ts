const maxBytes = 4 * 1024 * 1024;

/**
 * The congestion window of one direction of a TCP connection: how many bytes may be in flight. The window grows by slow start (RFC 5681,
 * section 3.1) and falls back to its initial size after an idle time (section 4.1).
 */
export class CongestionWindow {
  readonly #initialBytes: number;
  readonly #idleMs: number;
  #bytes: number;
  #underWay = 0;
  #lastSent = -Infinity;

  /** `idleMs` is the time without sending, in milliseconds, after which the window has its initial size again. */
  constructor(initialBytes: number, idleMs: number) {
    this.#initialBytes = initialBytes;
    this.#idleMs = idleMs;
    this.#bytes = initialBytes;
  }

  /** The number of bytes that may be sent now. */
  room(now: number): number {
    if (this.#underWay === 0 && now - this.#lastSent > this.#idleMs) this.#bytes = this.#initialBytes;
    return this.#bytes - this.#underWay;
  }

  sent(bytes: number, now: number): void {
    this.#underWay += bytes;
    this.#lastSent = now;
  }

  acknowledged(bytes: number): void {
    this.#underWay -= bytes;
    this.#bytes = Math.min(maxBytes, this.#bytes + bytes);
  }
}
