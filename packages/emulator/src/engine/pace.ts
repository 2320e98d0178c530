import { sleep, type Clock } from '../base/clock.js';
import type { Pace } from '../sources/script/script.js';

/** Shorter waits are not waited for: a timer is no more exact than this, and a late one is made up for by the next. */
const SHORTEST_WAIT_MS = 1;

interface Beat {
  readonly pace: Pace;
  /** Input tokens of the turn that no earlier context brought. */
  readonly uncachedTokens: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Once aborted, no event is waited for. */
  readonly hurried?: AbortSignal | undefined;
}

/**
 * Says when an event may go out. Everything before the first item is sent at once; the first item waits for the first
 * token and for the input that has to be read, and each delta for its token. Counted from the start, so timers that fire
 * late do not add up.
 */
export class Metronome {
  readonly #beat: Beat;
  readonly #firstTokenMs: number;
  readonly #intervalMs: number;
  #due: number;
  #begun = false;

  constructor(beat: Beat) {
    const { pace, uncachedTokens, clock } = beat;
    this.#beat = beat;
    this.#firstTokenMs = (pace.first_token_ms ?? 0) + (uncachedTokens * (pace.ms_per_1000_uncached_tokens ?? 0)) / 1000;
    this.#intervalMs = pace.tokens_per_second === undefined ? 0 : 1000 / pace.tokens_per_second;
    this.#due = clock.now();
  }

  /** Undefined if the event may go out now; rejects when the turn is aborted. */
  before(eventType: string): Promise<void> | undefined {
    const { clock, signal, hurried } = this.#beat;
    if (hurried?.aborted === true) return undefined;
    if (!this.#begun && !PRELUDE.has(eventType)) {
      this.#begun = true;
      this.#due += this.#jittered(this.#firstTokenMs);
    }
    if (eventType.endsWith('.delta')) this.#due += this.#jittered(this.#intervalMs);
    const wait = this.#due - clock.now();
    return wait < SHORTEST_WAIT_MS ? undefined : sleep(clock, wait, signal, hurried);
  }

  #jittered(ms: number): number {
    const { pace, random } = this.#beat;
    return ms === 0 || pace.jitter === undefined ? ms : ms * (1 + pace.jitter * (2 * random() - 1));
  }
}

/** What a server says before its model has read the input. */
const PRELUDE = new Set(['response.created', 'response.queued', 'response.in_progress']);
