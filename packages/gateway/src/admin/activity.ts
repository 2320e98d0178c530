import { tokensOf } from '../relay/turn-record.js';
import type { TurnRecord } from '../relay/turn-record.js';

/** What turns have come to, since the start. */
export interface Counts {
  turns: number;
  /** Turns of which only what is new went up. */
  deltas: number;
  /** Bytes of requests, as clients sent them. */
  client_bytes: number;
  /** Bytes of requests that went up. More than came where chains had to be sent in full. */
  upstream_bytes: number;
  input_tokens: number;
  /** Of the input tokens, those that the upstream had in its cache. */
  cached_tokens: number;
  output_tokens: number;
}

export interface TotalCounts extends Counts {
  /** How many turns went in full, by the reason. */
  full_reasons: Record<string, number>;
  transports: Record<string, number>;
  outcomes: Record<string, number>;
}

export interface PrincipalCounts extends Counts {
  name: string;
  last_turn_at: string;
}

/** A line of the log with the tokens alone: what an upstream writes as usage has no bound. */
export interface RecentTurn extends Omit<TurnRecord, 'usage'> {
  ended_at: string;
  input_tokens: number | undefined;
  cached_tokens: number | undefined;
  output_tokens: number | undefined;
}

const mostTurns = 50;
/** Passed keys are as many as clients like. */
const mostPrincipals = 200;
/** Reasons name fields of requests, which are as many as clients like. */
const mostReasons = 40;

/** What the gateway has done since its start, in bounded memory. */
export class Activity {
  readonly startedAt = new Date();
  readonly #total = noCounts();
  readonly #fullReasons = new Map<string, number>();
  readonly #transports = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  /** In the order of their last turns. */
  readonly #principals = new Map<string, PrincipalCounts>();
  readonly #turns: RecentTurn[] = [];

  settled(record: TurnRecord): void {
    const { principal, plan, reason = 'unknown', transport, outcome } = record;
    const endedAt = new Date().toISOString();
    add(this.#total, record);
    if (plan === 'full') increment(this.#fullReasons, reason.replace(/: \d+$/, ''));
    increment(this.#transports, transport);
    increment(this.#outcomes, outcome);
    const own = this.#principals.get(principal) ?? { name: principal, ...noCounts(), last_turn_at: endedAt };
    own.last_turn_at = endedAt;
    add(own, record);
    this.#principals.delete(principal);
    this.#principals.set(principal, own);
    const [oldest] = this.#principals.keys();
    if (this.#principals.size > mostPrincipals && oldest !== undefined) this.#principals.delete(oldest);
    this.#turns.unshift(recent(record, endedAt));
    this.#turns.length = Math.min(this.#turns.length, mostTurns);
  }

  get total(): TotalCounts {
    return {
      ...this.#total,
      full_reasons: Object.fromEntries(this.#fullReasons),
      transports: Object.fromEntries(this.#transports),
      outcomes: Object.fromEntries(this.#outcomes),
    };
  }

  /** Those that asked last, the newest first. */
  get principals(): readonly PrincipalCounts[] {
    return [...this.#principals.values()].toReversed();
  }

  /** The newest first. */
  get turns(): readonly RecentTurn[] {
    return this.#turns;
  }
}

export function noCounts(): Counts {
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
  const key = counts.has(name) || counts.size < mostReasons ? name : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
