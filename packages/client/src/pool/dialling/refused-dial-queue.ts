import { TurnwireError } from '../../protocol/errors/errors.js';
import { WaitQueue } from './wait-queue.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Placement } from '../placement.js';

/** Between two dials for turns that wait, in milliseconds; doubled with each refusal in a row, and up to a fifth longer. */
const redialMs = 1000;
const maxRedialMs = 30_000;

export interface RefusedDialsOptions {
  clock: Clock;
  dialMs: number;
  queueMs: number;
  /** In [0, 1). */
  random: () => number;
  /** Dials a connection for nobody; whether there was room for one. Its end is told by `opened` or `refused`. */
  redial: () => boolean;
}

/**
 * Turns for which no connection can be had now: something before the server takes no more of them, for a while or above some number. That says
 * nothing of the connections which are open, so these turns wait for a lane there, in order of arrival. Meanwhile another dial is tried at times.
 */
export class RefusedDialQueue<Found> {
  readonly #options: RefusedDialsOptions;
  readonly #waiters: WaitQueue<Found>;
  /** Why the last dial failed; for turns that wait without one of their own. */
  #last: TurnwireError | undefined;
  #inARow = 0;
  #timer: Timer | undefined;

  constructor(options: RefusedDialsOptions) {
    this.#options = options;
    this.#waiters = new WaitQueue(options.clock);
  }

  /** A turn's own copy: what a turn adds to the causes of its error is not the other turns'. */
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
   * Where SSE is left for the turn, it waits as long as for a dial, and fails with `reason`; otherwise as long as for a connection.
   *
   * @param find what the turn is given; undefined as long as there is nothing, a rejection once nothing can come any more
   */
  wait(
    { mayDial, fallback }: Placement,
    find: () => Promise<Found> | undefined,
    reason: TurnwireError,
    signal: AbortSignal,
  ): Promise<Found> {
    const { dialMs, queueMs } = this.#options;
    const ms = fallback === 'sse' ? dialMs : queueMs;
    if (mayDial && this.#timer === undefined) this.#redialLater(reason.retryAfterMs);
    return this.#waiters.wait(find, signal, ms, () => (fallback === 'sse' ? reason : queueError(queueMs, reason)));
  }

  /** A lane may have become free, or have gone. */
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
