import { tokensOf } from '../relay/turn-record.js';
import type { TurnRecord } from '../relay/turn-record.js';

/** Sums over all turns since the gateway started. */
export interface Counts {
  turns: number;
  /** Turns of which only the new part of the input was sent to the upstream. */
  deltas: number;
  /** Bytes of requests as clients sent them. */
  client_bytes: number;
  /** Bytes of requests as the gateway sent them to the upstream: more than the clients' where a chain had to be sent in full. */
  upstream_bytes: number;
  input_tokens: number;
  /** Input tokens that the upstream had in its cache. */
  cached_tokens: number;
  output_tokens: number;
}

export interface TotalCounts extends Counts {
  /** Turns that were sent in full, counted by the reason. */
  full_reasons: Record<string, number>;
  transports: Record<string, number>;
  outcomes: Record<string, number>;
}

export interface PrincipalCounts extends Counts {
  name: string;
  last_turn_at: string;
}

/** A line of the turn log without the upstream's whole usage, whose size has no bound: only its token counts are kept. */
export interface RecentTurn extends Omit<TurnRecord, 'usage'> {
  ended_at: string;
  input_tokens: number | undefined;
  cached_tokens: number | undefined;
  output_tokens: number | undefined;
}

const maxRecentTurns = 50;
/** Clients whose keys are passed through are principals too, and any number of them may come. */
const maxPrincipals = 200;
/** A reason can name a field of the request, and clients may send any number of fields. */
const maxReasons = 40;

/** The counts of the gateway since its start, in bounded memory. */
export class Activity {
  readonly startedAt = new Date();
  readonly #total = zeroCounts();
  readonly #fullReasons = new Map<string, number>();
  readonly #transports = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  /** Principals in the order of their last turns. */
  readonly #principals = new Map<string, PrincipalCounts>();
  readonly #turns: RecentTurn[] = [];

  settled(record: TurnRecord): void {
    const { principal, plan, reason = 'unknown', transport, outcome } = record;
    const endedAt = new Date().toISOString();
    add(this.#total, record);
    if (plan === 'full') increment(this.#fullReasons, reason.replace(/: \d+$/, ''));
    increment(this.#transports, transport);
    increment(this.#outcomes, outcome);
    const own = this.#principals.get(principal) ?? { name: principal, ...zeroCounts(), last_turn_at: endedAt };
    own.last_turn_at = endedAt;
    add(own, record);
    this.#principals.delete(principal);
    this.#principals.set(principal, own);
    const [oldest] = this.#principals.keys();
    if (this.#principals.size > maxPrincipals && oldest !== undefined) this.#principals.delete(oldest);
    this.#turns.unshift(recent(record, endedAt));
    this.#turns.length = Math.min(this.#turns.length, maxRecentTurns);
  }

  get total(): TotalCounts {
    return {
      ...this.#total,
      full_reasons: Object.fromEntries(this.#fullReasons),
      transports: Object.fromEntries(this.#transports),
      outcomes: Object.fromEntries(this.#outcomes),
    };
  }

  /** The principals with the most recent turns, newest first. */
  get principals(): readonly PrincipalCounts[] {
    return [...this.#principals.values()].toReversed();
  }

  /** The most recent turns, newest first. */
  get turns(): readonly RecentTurn[] {
    return this.#turns;
  }
}

export function zeroCounts(): Counts {
  return {
    turns: 0,
    deltas: 0,
    client_bytes: 0,
    upstream_bytes: 0,
    input_tokens: 0,
    cached_tokens: 0,
    output_tokens: 0,
  };
}

function add(counts: Counts, { plan, client_bytes, upstream_bytes, usage }: TurnRecord): void {
  const { input = 0, cached = 0, output = 0 } = tokensOf(usage);
  counts.turns += 1;
  if (plan === 'delta') counts.deltas += 1;
  counts.client_bytes += client_bytes;
  counts.upstream_bytes += upstream_bytes;
  counts.input_tokens += input;
  counts.cached_tokens += cached;
  counts.output_tokens += output;
}

function recent({ usage, ...record }: TurnRecord, endedAt: string): RecentTurn {
  const { input, cached, output } = tokensOf(usage);
  return { ended_at: endedAt, ...record, input_tokens: input, cached_tokens: cached, output_tokens: output };
}

function increment(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < maxReasons ? name : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
