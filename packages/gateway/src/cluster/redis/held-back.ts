/**
 * The longest time for which a command is held back, in milliseconds. The next turn of a chain needs what the last one has written. It reaches another node
 * when its client has read the end, has run its tools, and has sent its history: that takes longer.
 */
const maxDelayMs = 5;

/** The time since the last command, in milliseconds, from which commands count as rare. */
const rareMs = 50;

/** The most commands that are held back. */
const maxHeldBack = 100;

/**
 * Commands that nobody waits for. They are held back, and go in one piece with the next command, or alone after {@link maxDelayMs}: a write to a socket, and
 * the wake-up for its answer, cost more than the command.
 */
export class HeldBack {
  #sends: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastSentAt = -Infinity;

  /** False where commands are rare, so that there is none to wait for, and where many are held back already. */
  get canHold(): boolean {
    return performance.now() - this.#lastSentAt < rareMs && this.#sends.length < maxHeldBack;
  }

  add(send: () => void): void {
    this.#sends.push(send);
    this.#timer ??= setTimeout(() => this.release(), maxDelayMs);
  }

  /** Sends what is held back, in its order. Called before each other command, so that all are sent in the order in which they were given. */
  release(): void {
    this.#lastSentAt = performance.now();
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const send of this.#sends.splice(0)) send();
  }
}
