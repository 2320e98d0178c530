import type { TurnwireError } from '../protocol/errors.js';

/**
 * How long the server asks to wait, in milliseconds from now, or undefined where it does not say. It says so in many places (A5, G3, P27,
 * P104): the first that can be understood counts, in the order of the functions below. Headers are those of the HTTP answer, or those that
 * an error frame carries.
 *
 * 0 and a date that has passed mean now. A negative number, a text that is neither number nor date, and more than a year are no
 * statement: the next place is asked. Otherwise the value is the server's own, however long; what is too long is the caller's business.
 *
 * @param wallMs the time of day, in milliseconds since 1970: dates are compared with it
 */
export function retryAfterMs(error: TurnwireError, wallMs: number): number | undefined {
  const { server } = error;
  if (server === undefined) return undefined;
  const inner = errorObject(server.raw);
  const found = [
    seconds(server.headers['retry-after-ms'], 0.001),
    seconds(server.headers['retry-after']) ?? date(server.headers['retry-after'], wallMs),
    seconds(inner['retry_after_ms'], 0.001),
    seconds(inner['retry_after']) ?? date(inner['retry_after'], wallMs),
    seconds(inner['retry_after_seconds']),
    seconds(inner['resets_in_seconds']),
    instant(inner['resets_at'], wallMs),
    written(server.message),
  ];
  return found.find((ms) => ms !== undefined);
}

const year = 366 * 24 * 3_600_000;

function plausible(ms: number): number | undefined {
  return ms >= 0 && ms <= year ? Math.round(ms) : undefined;
}

/** A number, or a string that is one; `scale` is how many seconds one of its units is. */
function seconds(value: unknown, scale = 1): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : plausible(number * scale * 1000);
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** What has a letter in it: `Date.parse` takes a bare "-1" for a month. */
function date(value: unknown, wallMs: number): number | undefined {
  if (typeof value !== 'string' || !/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : plausible(Math.max(0, at - wallMs));
}

/** Larger than any time in seconds that is meant: milliseconds. */
const leastMilliseconds = 1e11;

/** A moment: in seconds since 1970, in milliseconds since then, or as a date. */
function instant(value: unknown, wallMs: number): number | undefined {
  const number = numberOf(value);
  if (number === undefined) return date(value, wallMs);
  // 0 and below are no moments, but fields that were left empty.
  if (!(number > 0)) return undefined;
  return plausible(Math.max(0, (number < leastMilliseconds ? number * 1000 : number) - wallMs));
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "Please try again in 1.2s", "retry after 1m30s", "try again in 20 seconds". */
function written(message: string): number | undefined {
  const span = /\b(?:try|retry)(?:ing)?(?: again)? (?:in|after) ((?:\d+(?:\.\d+)? ?[a-z]+ ?)+)/i.exec(message)?.[1];
  if (span === undefined) return undefined;
  let ms: number | undefined;
  for (const [, amount, name = ''] of span.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/gi)) {
    const unit =
      units[
        /^(ms|millis)/i.test(name)
          ? 'ms'
          : (/^(s|secs?|seconds?|m|mins?|minutes?|h|hours?)$/i.exec(name)?.[1]?.[0] ?? '').toLowerCase()
      ];
    // What follows the time is ordinary words.
    if (unit === undefined) break;
    ms = (ms ?? 0) + Number(amount) * unit;
  }
  return ms === undefined ? undefined : plausible(ms);
}

/** The innermost object that tells of the error, in whichever shape it came (P61, P63, P64). */
function errorObject(raw: unknown): Record<string, unknown> {
  const top = record(raw);
  return record(top?.['error']) ?? record(record(top?.['response'])?.['error']) ?? top ?? {};
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
