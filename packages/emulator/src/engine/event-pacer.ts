import { Sleeper, type Clock } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import type { Pace } from '../sources/script/script.js';

/** Shorter waits are not waited for: a timer is no more exact than this, and a late one is made up for by the next. */
const shortestWaitMs = 1;

interface PacerOptions {
  readonly pace: Pace;
  /** Input tokens of the turn that no earlier context brought. */
  readonly uncachedTokens: number;
  readonly clock: Clock;
  /** What `jitter` is drawn from. */
  readonly seed: string;
  readonly signal: AbortSignal;
  /** Once aborted, no event is waited for. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Says when an event may go out. Everything before the first item is sent at once; the first item waits for the first
 * token and for the input that has to be read, and each delta for its token. Counted from the start, so timers that fire
 * late do not add up.
 */
export class EventPacer {
  readonly #pace: Pace;
  readonly #seed: string;
  readonly #clock: Clock;
  readonly #interrupted: AbortSignal | undefined;
  readonly #sleeper: Sleeper;
  readonly #firstTokenMs: number;
  readonly #intervalMs: number;
  /** Whether no event of the turn is waited for. */
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

  /** Undefined if the event may go out now; rejects when the turn is aborted. */
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

  /** After the last event. */
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

/** What a server says before its model has read the input. */
const eventsBeforeFirstToken = new Set(['response.created', 'response.queued', 'response.in_progress']);
