import { maxRedialMs, redialMs } from '../../base/bounds.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { WaitQueue } from './wait-queue.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Placement } from '../placement.js';

export interface RefusedDialsOptions {
  clock: Clock;
  dialMs: number;
  queueMs: number;
  /** In [0, 1). */
  random: () => number;
  /** Dials a connection for whichever turn waits; false if there is no room for one. `opened` or `refused` follows. */
  redial: () => boolean;
}

/**
 * Turns that wait for a lane of an open connection, because further dials are refused: an edge network or a proxy limits them, for a while or above some
 * number. The open connections still work. Meanwhile a dial is tried from time to time.
 */
export class RefusedDialQueue<Found> {
  readonly #options: RefusedDialsOptions;
  readonly #waiters: WaitQueue<Found>;
  /** Why the last dial failed, for turns that have started none. */
  #last: TurnwireError | undefined;
  #inARow = 0;
  #timer: Timer | undefined;

  constructor(options: RefusedDialsOptions) {
    this.#options = options;
    this.#waiters = new WaitQueue(options.clock);
  }

  get empty(): boolean {
    return this.#waiters.empty;
  }

  /** Why no connection is dialled: a copy for each turn, because a turn adds causes to its error. */
  get reason(): TurnwireError {
    const { code, message, status, server, kind, retryable, retryAfterMs, cause } =
      this.#last ??
      new TurnwireError(
        'dial_failed',
        'no further connection is dialled for now: an earlier dial was refused because of load',
      );
    return new TurnwireError(code, message, { status, server, kind, retryable, retryAfterMs, cause });
  }

  /**
   * A turn that can go by SSE waits for `dialMs`, and fails with `reason`; any other turn waits for `queueMs`.
   *
   * @param find gives the lane; undefined as long as none is idle, a rejection once none can become idle.
   */
  wait(
    { mayDial, fallback }: Placement,
    find: () => Promise<Found> | undefined,
    reason: TurnwireError,
    signal: AbortSignal,
  ): Promise<Found> {
    const { dialMs, queueMs } = this.#options;
    const isLast = fallback === 'nothing';
    if (mayDial && this.#timer === undefined) this.#redialLater(reason.retryAfterMs);
    return this.#waiters.wait(find, signal, isLast ? queueMs : dialMs, () =>
      isLast ? queueError(queueMs, reason) : reason,
    );
  }

  /** Called when a lane has become idle, or was lost. */
  serve(): void {
    this.#waiters.serveAny();
  }

  fail(error: TurnwireError): void {
    this.#timer?.cancel();
    this.#waiters.fail(error);
  }

  opened(): void {
    this.#inARow = 0;
  }

  refused(error: TurnwireError): void {
    this.#last = error;
    this.#inARow += 1;
    if (this.#timer !== undefined) this.#redialLater(error.retryAfterMs);
  }

  #redialLater(askedMs: number | undefined): void {
    this.#timer?.cancel();
    const { clock, random, redial } = this.#options;
    const ownMs = Math.min(maxRedialMs, redialMs * 2 ** Math.max(0, this.#inARow - 1)) * (1 + random() / 5);
    const again = (): void => {
      this.#timer = undefined;
      if (this.#waiters.empty || !redial()) return;
      this.#redialLater(undefined);
    };
    this.#timer = clock.after(Math.max(askedMs ?? 0, ownMs), again, { background: true });
  }
}

function queueError(queueMs: number, cause: TurnwireError): TurnwireError {
  return new TurnwireError(
    'queue_timeout',
    `no lane became free within ${queueMs} ms (timeouts.queueMs), and no further connection could be had: ${cause.message}`,
    { cause },
  );
}
