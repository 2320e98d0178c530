import { maxMessageLength } from '../../base/bounds.js';

/** What a server said about a failure, in whichever of its shapes, made uniform. */
export interface ServerError {
  status: number | undefined;
  /** `previous_response_not_found`, `rate_limit_exceeded`, …; an open list, as the server spells it. */
  code: string | undefined;
  type: string | undefined;
  message: string;
  param: string | undefined;
  /** Headers of the answer, or those that an error frame carries; names in lower case, without cookies. */
  headers: Readonly<Record<string, string>>;
  /** The JSON as it came: an event, a body, or the text that was no JSON. */
  raw: unknown;
}

/**
 * Reads an error out of any of the shapes seen on this wire: nested (P61), flat (P63), inside a failed response (P64), an HTTP body
 * (P27), a bare string, or none of these. Never throws: an error that cannot be understood is still an error.
 */
export function parseServerError(
  raw: unknown,
  outer: { status?: number; headers?: Record<string, string> } = {},
): ServerError {
  const top = asRecord(raw);
  const response = asRecord(top?.['response']);
  const source = top?.['error'] ?? response?.['error'];
  const inner = asRecord(source) ?? top;
  const message =
    text(inner?.['message']) ?? text(source) ?? text(top?.['message']) ?? text(top?.['detail']) ?? text(raw);
  return {
    status:
      status(top?.['status']) ??
      status(top?.['status_code']) ??
      status(inner?.['status']) ??
      outer.status ??
      // vLLM and OpenRouter give the status as the code.
      (typeof inner?.['code'] === 'number' && inner['code'] >= 400 ? status(inner['code']) : undefined),
    code: word(inner?.['code']) ?? word(top?.['code']),
    // In a flat frame `type` is the event's own name and says nothing of the error.
    type: inner === top && top?.['type'] === 'error' ? undefined : word(inner?.['type']),
    message: sanitize(message ?? 'the server gave no reason'),
    param: word(inner?.['param']) ?? word(top?.['param']),
    headers: { ...headers(outer.headers), ...headers(top?.['headers']), ...headers(inner?.['headers']) },
    raw,
  };
}

/** Text from outside, fit for an error message: no control characters that could drive a terminal, and not endless (N10). */
export function sanitize(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  const printable = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return printable.length > maxMessageLength ? `${printable.slice(0, maxMessageLength)} …` : printable;
}

/** A JSON object; undefined for any other value. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function word(value: unknown): string | undefined {
  const found = typeof value === 'number' ? String(value) : text(value);
  return found === undefined ? undefined : sanitize(found);
}

function status(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 100 && number <= 599 ? number : undefined;
}

function headers(value: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, content] of Object.entries(asRecord(value) ?? {})) {
    // A cookie is a credential (N1).
    if (name.toLowerCase() === 'set-cookie') continue;
    if (typeof content === 'string' || typeof content === 'number') found[name.toLowerCase()] = String(content);
  }
  return found;
}
