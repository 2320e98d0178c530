import type { Clock } from '../base/clock.js';
import { Sleeper } from '../base/sleep.js';
import { seededRandom } from '../base/random.js';
import type { Pace } from '../sources/script/script.js';

/** Shorter waits are skipped: a timer is no more exact than this, and the next wait makes up for it. */
const shortestWaitMs = 1;

interface PacerOptions {
  readonly pace: Pace;
  /** The number of input tokens of the turn that are not cached. */
  readonly uncachedTokens: number;
  readonly clock: Clock;
  /** The seed of the jitter. */
  readonly seed: string;
  /** Aborted when the turn ends before its last event: a wait then rejects. */
  readonly signal: AbortSignal;
  /** Aborted when the client interrupts the turn: no event is delayed from then on. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Delays the events of a turn. The events before the first item are sent at once. The first item waits for the first token and for the
 * reading of the input, and each delta waits for its token. Delays are counted from the start, so that late timers do not add up.
 */
export class EventPacer {
  readonly #pace: Pace;
  readonly #seed: string;
  readonly #clock: Clock;
  readonly #interrupted: AbortSignal | undefined;
  readonly #sleeper: Sleeper;
  readonly #firstTokenMs: number;
  readonly #intervalMs: number;
  /** Whether no event of the turn is delayed. */
  readonly #isUnpaced: boolean;
  #due: number;
  #begun = false;
  #random: (() => number) | undefined;

  constructor(options: PacerOptions) {
    const { pace, uncachedTokens, clock, signal, interrupted } = options;
    this.#pace = pace;
    this.#seed = options.seed;
    this.#clock = clock;
    this.#interrupted = interrupted;
    this.#sleeper = new Sleeper(clock, signal, interrupted);
    this.#firstTokenMs = (pace.first_token_ms ?? 0) + (uncachedTokens * (pace.ms_per_1000_uncached_tokens ?? 0)) / 1000;
    this.#intervalMs = pace.tokens_per_second === undefined ? 0 : 1000 / pace.tokens_per_second;
    this.#isUnpaced = this.#firstTokenMs === 0 && this.#intervalMs === 0;
    this.#due = clock.now();
  }

  /** A promise that resolves when the event may be sent, and rejects when the turn is aborted; undefined if the event may be sent now. */
  waitBefore(eventType: string): Promise<void> | undefined {
    if (this.#isUnpaced || this.#interrupted?.aborted === true) return undefined;
    if (!this.#begun && !eventsBeforeFirstToken.has(eventType)) {
      this.#begun = true;
      this.#due += this.#jittered(this.#firstTokenMs);
    }
    if (eventType.endsWith('.delta')) this.#due += this.#jittered(this.#intervalMs);
    const wait = this.#due - this.#clock.now();
    return wait < shortestWaitMs ? undefined : this.#sleeper.sleep(wait);
  }

  /** Removes the listeners of the signals, after the last event. */
  stop(): void {
    this.#sleeper.stop();
  }

  #jittered(ms: number): number {
    const { jitter } = this.#pace;
    if (ms === 0 || jitter === undefined) return ms;
    this.#random ??= seededRandom(this.#seed);
    return ms * (1 + jitter * (2 * this.#random() - 1));
  }
}

/** The events that a server sends before its model has read the input. */
const eventsBeforeFirstToken = new Set(['response.created', 'response.queued', 'response.in_progress']);
