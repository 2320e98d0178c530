import { Refusal, retryAfterSeconds } from '../../base/refusal.js';
import type { Principal } from '../../upstream/principal.js';

/** The limits of principals: requests and tokens in a minute, and turns at once. Several gateways can share them. */
export interface Quotas {
  /** @throws Refusal (429) for a principal that is over its limits */
  check(principal: Principal): void | Promise<void>;
  /** Counts a turn that begins. Returns the function to call at the turn's end, with its tokens. @throws as `check` */
  begin(principal: Principal): (tokens: number) => void;
}

/** What is left of an account over all gateways; undefined for a quantity without a limit. */
export interface RemainingQuota {
  requests: number | undefined;
  tokens: number | undefined;
  /** Running turns on the other gateways. */
  othersRunning: number;
}

interface Account {
  running: number;
  othersRunning: number;
  requests: Bucket;
  tokens: Bucket;
}

const minuteMs = 60_000;

/** The limits of one gateway without a cluster. */
export class LocalQuotas implements Quotas {
  readonly #accounts = new Map<string, Account>();
  readonly #now: () => number;

  /** @param now a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  check(principal: Principal): void {
    const { policy, id } = principal;
    if (policy === undefined) return;
    const { concurrentTurns, requestsPerMinute, tokensPerMinute } = policy;
    const account = this.#accountOf(id);
    const now = this.#now();
    if (concurrentTurns !== undefined && account.running + account.othersRunning >= concurrentTurns)
      throw exceeded(`${concurrentTurns} turns at once`, 'concurrent_turns', 1);
    for (const [bucket, limit, name] of [
      [account.requests, requestsPerMinute, 'requests'],
      [account.tokens, tokensPerMinute, 'tokens'],
    ] as const) {
      const waitMs = limit === undefined ? 0 : bucket.waitMs(limit, now);
      if (waitMs > 0) throw exceeded(`${limit} ${name} a minute`, `${name}_per_minute`, retryAfterSeconds(waitMs));
    }
  }

  begin(principal: Principal): (tokens: number) => void {
    this.check(principal);
    const { policy, id } = principal;
    if (policy === undefined) return () => {};
    const account = this.#accountOf(id);
    account.running += 1;
    account.requests.take(1);
    return (tokens) => {
      account.running -= 1;
      if (policy.tokensPerMinute !== undefined) account.tokens.take(tokens);
    };
  }

  /** Running turns of a principal on this gateway. */
  running(id: string): number {
    return this.#accounts.get(id)?.running ?? 0;
  }

  /** Replaces the levels of an account by those that all gateways share. */
  correct(id: string, { requests, tokens, othersRunning }: RemainingQuota): void {
    const account = this.#accountOf(id);
    const now = this.#now();
    account.othersRunning = othersRunning;
    if (requests !== undefined) account.requests.correct(requests, now);
    if (tokens !== undefined) account.tokens.correct(tokens, now);
  }

  #accountOf(id: string): Account {
    const known = this.#accounts.get(id) ?? {
      running: 0,
      othersRunning: 0,
      requests: new Bucket(),
      tokens: new Bucket(),
    };
    this.#accounts.set(id, known);
    return known;
  }
}

/** A token bucket: refills evenly, up to the limit of a minute. A turn's tokens are taken after its end, so the level may fall below zero. */
class Bucket {
  #level: number | undefined;
  #at = 0;

  take(amount: number): void {
    if (this.#level !== undefined) this.#level -= amount;
  }

  correct(level: number, now: number): void {
    this.#level = level;
    this.#at = now;
  }

  /** The time until the bucket has something left, in milliseconds; 0 for now. */
  waitMs(limit: number, now: number): number {
    this.#level =
      this.#level === undefined ? limit : Math.min(limit, this.#level + ((now - this.#at) * limit) / minuteMs);
    this.#at = now;
    return this.#level >= 1 ? 0 : ((1 - this.#level) * minuteMs) / limit;
  }
}

function exceeded(what: string, code: string, seconds: number): Refusal {
  return new Refusal(`this key may use ${what}: try again in ${seconds} s`, {
    status: 429,
    type: 'rate_limit_error',
    code: `rate_limit_exceeded`,
    param: code,
    headers: { 'retry-after': String(seconds) },
  });
}
