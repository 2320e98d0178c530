import { asRecord, type ServerError } from './server-error.js';

/**
 * How long the server asks to wait, in milliseconds from now, or undefined where it does not say. It says so in many places (A5, G3, P27,
 * P104): the first that can be understood counts, in the order of the functions below. Headers are those of the HTTP answer, or those that
 * an error frame carries.
 *
 * 0 and a date that has passed mean now. A negative number, a text that is neither number nor span nor date, and more than a year are no
 * statement: the next place is asked. Otherwise the value is the server's own, however long; what is too long is the caller's business.
 *
 * @param wallMs the time of day, in milliseconds since 1970: dates are compared with it
 */
export function retryAfterMsOf(server: ServerError | undefined, wallMs: number): number | undefined {
  if (server === undefined) return undefined;
  const { headers, message, raw } = server;
  const inHeaders = span(headers['retry-after-ms'], 1) ?? wait(headers['retry-after'], wallMs);
  if (inHeaders !== undefined) return inHeaders;
  for (const fields of objectsOf(raw)) {
    const found = inFields(fields, wallMs);
    if (found !== undefined) return found;
  }
  return waitInSentence(message);
}

function inFields(fields: Record<string, unknown>, wallMs: number): number | undefined {
  const found = [
    span(fields['retry_after_ms'] ?? fields['retry-after-ms'], 1),
    wait(fields['retry_after'] ?? fields['retry-after'], wallMs),
    span(fields['retry_after_seconds']),
    span(fields['resets_in_seconds'] ?? fields['reset_after_seconds']),
    instant(fields['resets_at'] ?? fields['reset_at'], wallMs),
    // Of google.rpc.RetryInfo.
    span(fields['retryDelay']),
  ];
  return found.find((ms) => ms !== undefined);
}

const year = 366 * 24 * 3_600_000;

function plausibleMs(ms: number): number | undefined {
  return ms >= 0 && ms <= year ? Math.round(ms) : undefined;
}

/** A number, a string that is one, or "1m30s"; `unitMs` is what a bare number counts. */
function span(value: unknown, unitMs = 1000): number | undefined {
  const number = numberOf(value);
  if (number !== undefined) return plausibleMs(number * unitMs);
  return typeof value === 'string' && wholeSpan.test(value) ? spanIn(value) : undefined;
}

function wait(value: unknown, wallMs: number): number | undefined {
  return span(value) ?? date(value, wallMs);
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** A date has a letter in it: `Date.parse` takes a bare "-1" for a month. */
function date(value: unknown, wallMs: number): number | undefined {
  if (typeof value !== 'string' || !/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : plausibleMs(Math.max(0, at - wallMs));
}

/** A number from here on is in milliseconds: no moment in seconds is so large. */
const leastMilliseconds = 1e11;

/** A moment: in seconds since 1970, in milliseconds since then, or as a date. */
function instant(value: unknown, wallMs: number): number | undefined {
  const number = numberOf(value);
  if (number === undefined) return date(value, wallMs);
  // 0 and below are no moments, but fields that were left empty.
  if (!(number > 0)) return undefined;
  return plausibleMs(Math.max(0, (number < leastMilliseconds ? number * 1000 : number) - wallMs));
}

const units: readonly [name: RegExp, ms: number][] = [
  [/^(ms|msecs?|millis|milliseconds?)$/i, 1],
  [/^(s|secs?|seconds?)$/i, 1000],
  [/^(m|mins?|minutes?)$/i, 60_000],
  [/^(h|hrs?|hours?)$/i, 3_600_000],
  [/^(d|days?)$/i, 86_400_000],
];

const wholeSpan = /^\s*(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/i;

/** "1.2s", "1m30s", "20 seconds", "1 minute and 30 seconds": as far as it is one. */
function spanIn(text: string): number | undefined {
  let ms: number | undefined;
  for (const [, amount, name = ''] of text.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/gi)) {
    const unit = units.find(([names]) => names.test(name))?.[1];
    // Ordinary words follow the time.
    if (unit === undefined) break;
    ms = (ms ?? 0) + Number(amount) * unit;
  }
  return ms === undefined ? undefined : plausibleMs(ms);
}

/** "Please try again in 1.2s", "retry after 1m30s", "try again in about 20 seconds", "wait 1 minute and 30 seconds". */
const sentence =
  /\b(?:(?:try|retry|trying|retrying|available|resets?)(?: (?:your|the|this) request)?(?: again)? (?:in|after)|wait(?: for)?)(?: about| approximately| another| at least)? ((?:\d+(?:\.\d+)? ?[a-z]+,? ?(?:and )?)+)/i;

function waitInSentence(message: string): number | undefined {
  const found = sentence.exec(message)?.[1];
  return found === undefined ? undefined : spanIn(found);
}

/** The objects that tell of the error, in whichever shape it came (P61, P63, P64), the innermost first, and what stands beside its words. */
function* objectsOf(raw: unknown): Generator<Record<string, unknown>> {
  const top = asRecord(raw);
  const response = asRecord(top?.['response']);
  for (const each of [asRecord(top?.['error']), asRecord(response?.['error']), top]) {
    if (each === undefined) continue;
    yield each;
    const { details, metadata } = each;
    for (const more of Array.isArray(details) ? details.slice(0, 8) : [details, metadata]) {
      const beside = asRecord(more);
      if (beside === undefined) continue;
      yield beside;
      const headers = asRecord(beside['headers']);
      if (headers !== undefined)
        yield Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    }
  }
}
