const maxBytes = 4 * 1024 * 1024;

/**
 * How many bytes one direction of a TCP connection may have under way: slow start (RFC 5681, section 3.1), and the fall back to the
 * initial window after idling (section 4.1).
 */
export class CongestionWindow {
  readonly #initialBytes: number;
  readonly #idleMs: number;
  #bytes: number;
  #underWay = 0;
  #lastSent = -Infinity;

  /** `idleMs`: milliseconds without sending after which the window is the initial one again. */
  constructor(initialBytes: number, idleMs: number) {
    this.#initialBytes = initialBytes;
    this.#idleMs = idleMs;
    this.#bytes = initialBytes;
  }

  /** Bytes that may leave now. */
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
