import { maxRetryAfterMs, maxShapes, minRetryAfterMs, probeMs, shapeMs } from '../../base/bounds.js';
import type { Clock } from '../../base/clock.js';
import type { BreakerFailure, BreakerFailureKind } from './breaker-failure.js';

/**
 * Whether turns of one endpoint and one credential use a WebSocket (K1):
 *
 * closed ──too many failures in a row──▶ open ──its time has passed──▶ half_open ──success──▶ closed
 *                                         ▲                               │
 *                                         └───────────failure─────────────┘
 *
 * All times are those of `Clock.now`.
 */
export type BreakerState =
  /** WebSockets are used. `failures` counts those in a row. */
  | { name: 'closed'; failures: number }
  /** WebSockets are suspended. `times` counts suspensions in a row: each is longer than the one before. */
  | { name: 'open'; kind: BreakerFailureKind; why: string; key: string; since: number; until: number; times: number }
  /** One turn probes a WebSocket; the others go by SSE and do not wait for it. */
  | {
      name: 'half_open';
      kind: BreakerFailureKind;
      why: string;
      key: string;
      since: number;
      times: number;
      probeSince: number;
    };

/** `websocket`: use one. `probe`: use one, and this turn decides. Otherwise SSE, with the reason and the remaining time. */
export type BreakerRoute = 'websocket' | 'probe' | Suspension;

/** Why WebSockets are suspended. `key` is that of the failure: `BreakerFailure.key`. */
export interface Suspension {
  why: string;
  key: string;
  forMs: number;
}

export interface BreakerRow {
  kind: Exclude<BreakerFailureKind, 'shape'>;
  /** The number of failures in a row, of any kind, of which the last one is of this kind. */
  after: number;
  /** The first suspension, in milliseconds; each further one in a row is twice as long. */
  restMs: number;
  maxRestMs: number;
}

const minute = 60_000;

/** Which failures open the breaker, after how many, and for how long. A failed probe opens it at once. */
export const breakerTable: readonly BreakerRow[] = [
  { kind: 'unsupported', after: 1, restMs: 10 * minute, maxRestMs: 60 * minute },
  { kind: 'policy', after: 1, restMs: 10 * minute, maxRestMs: 60 * minute },
  { kind: 'refused', after: 1, restMs: minute, maxRestMs: 10 * minute },
  { kind: 'busy', after: 1, restMs: minute, maxRestMs: 10 * minute },
  { kind: 'no_answer', after: 1, restMs: minute, maxRestMs: 10 * minute },
  { kind: 'unreachable', after: 5, restMs: minute, maxRestMs: 10 * minute },
  { kind: 'lost', after: 5, restMs: minute, maxRestMs: 10 * minute },
];

/**
 * The circuit breaker of WebSockets, one for each endpoint and credential: a failure of one host or account says nothing of another. Turns with
 * `transport: 'websocket'` do not ask the breaker.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #jitter: () => number;
  #state: BreakerState = { name: 'closed', failures: 0 };
  /** When each shape may use a WebSocket again; the latest comes last. */
  readonly #shapes = new Map<string, number>();

  /** @param jitter a random number from 0 up to 1 */
  constructor(clock: Clock, jitter: () => number = Math.random) {
    this.#clock = clock;
    this.#jitter = jitter;
  }

  /** A copy, for reports. */
  get state(): BreakerState {
    return { ...this.#state };
  }

  /**
   * The route of one turn. After `probe` one of `succeeded`, `failed` and `abandoned` must follow.
   *
   * @param shape of the turn's body, by `shapeOf`
   */
  route(shape?: string): BreakerRoute {
    const now = this.#clock.now();
    const shapeUntil = shape === undefined ? undefined : this.#shapes.get(shape);
    if (shapeUntil !== undefined && now < shapeUntil) {
      const why = 'a request of this shape was closed without an answer before';
      return { why, key: 'shape', forMs: shapeUntil - now };
    }
    const state = this.#state;
    switch (state.name) {
      case 'closed':
        return 'websocket';
      case 'open':
        if (now < state.until) return suspensionOf(state, state.until - now);
        break;
      case 'half_open':
        if (now - state.probeSince < probeMs) return suspensionOf(state, probeMs - (now - state.probeSince));
        break;
    }
    const { kind, why, key, since, times } = state;
    this.#state = { name: 'half_open', kind, why, key, since, times, probeSince: now };
    return 'probe';
  }

  /** For a suspended route: only dials are suspended, and open connections may be used. */
  suspendsDialsOnly(shape?: string): boolean {
    const shapeUntil = shape === undefined ? undefined : this.#shapes.get(shape);
    if (shapeUntil !== undefined && this.#clock.now() < shapeUntil) return false;
    return this.#state.name !== 'closed' && dialKinds.has(this.#state.kind);
  }

  /**
   * A turn had an event over a WebSocket. An open breaker stays open: the turn began before.
   */
  succeeded(): void {
    if (this.#state.name !== 'open') this.#state = { name: 'closed', failures: 0 };
  }

  /** An attempt failed in a way that counts: `Decision.breakerFailure`. */
  failed(failure: BreakerFailure, shape?: string): void {
    if (failure.kind === 'shape') {
      if (shape !== undefined) this.#remember(shape);
      // The connection itself worked.
      return this.abandoned();
    }
    const row = rowOf(failure.kind);
    const state = this.#state;
    if (state.name === 'closed') {
      const failures = state.failures + 1;
      if (failures < row.after) this.#state = { name: 'closed', failures };
      else this.#open(row, failure, 1);
    } else if (state.name === 'half_open') {
      this.#open(row, failure, state.times + 1);
    } else if (this.#clock.now() + this.#restMs(row, failure, state.times) > state.until) {
      // Turns that were running already fail as well: the longest suspension counts, once.
      this.#open(row, failure, state.times);
    }
  }

  /** The probe ended without a result: its turn was aborted, or refused for a reason of its own. The next turn probes. */
  abandoned(): void {
    if (this.#state.name !== 'half_open') return;
    const { kind, why, key, since, times } = this.#state;
    this.#state = { name: 'open', kind, why, key, since, times, until: this.#clock.now() };
  }

  #open(row: BreakerRow, failure: BreakerFailure, times: number): void {
    const now = this.#clock.now();
    const since = this.#state.name === 'closed' ? now : this.#state.since;
    this.#state = {
      name: 'open',
      kind: row.kind,
      why: failure.why,
      key: failure.key,
      since,
      until: now + this.#restMs(row, failure, times) * (1 + this.#jitter() / 10),
      times,
    };
  }

  #restMs(row: BreakerRow, { retryAfterMs }: BreakerFailure, times: number): number {
    if (retryAfterMs !== undefined) return Math.min(maxRetryAfterMs, Math.max(minRetryAfterMs, retryAfterMs));
    return Math.min(row.maxRestMs, row.restMs * 2 ** (times - 1));
  }

  #remember(shape: string): void {
    this.#shapes.delete(shape);
    this.#shapes.set(shape, this.#clock.now() + shapeMs);
    const [oldest] = this.#shapes.keys();
    if (this.#shapes.size > maxShapes && oldest !== undefined) this.#shapes.delete(oldest);
  }
}

function suspensionOf({ why, key }: { why: string; key: string }, forMs: number): Suspension {
  return { why, key, forMs };
}

const dialKinds: ReadonlySet<BreakerFailureKind> = new Set([
  'busy',
  'no_answer',
  'refused',
  'unreachable',
  'unsupported',
]);

function rowOf(kind: BreakerRow['kind']): BreakerRow {
  const row = breakerTable.find((one) => one.kind === kind);
  if (row === undefined) throw new Error(`no row for ${kind}`);
  return row;
}
