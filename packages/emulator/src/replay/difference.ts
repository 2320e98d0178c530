import { redactedText } from '../record/format.js';
import { isRecord } from '../wire/wire.js';

/** The first place at which two JSON values differ. */
export interface Difference {
  /** The path to the place, as in JavaScript: `input[1].content`. It is empty if the whole values differ. */
  readonly path: string;
  /** The recorded value at this place; undefined if there is none. */
  readonly expected: unknown;
  /** The received value at this place; undefined if there is none. */
  readonly got: unknown;
}

/**
 * The fields that may differ between two runs of one program without a change of meaning: those that say how the answer is carried (`type`,
 * `stream`, `stream_id`, `stream_options`), and what Codex says about itself (`client_metadata`).
 */
const transportFields = new Set(['type', 'stream', 'stream_id', 'stream_options', 'client_metadata']);

/**
 * The first difference between a recorded request and a received one. The order of keys is ignored, `null` equals a missing field, and a
 * redacted text equals any text. Ids are compared, because a replay gives out the recorded ids and a client has to name these.
 */
export function firstDifference(expected: unknown, got: unknown): Difference | undefined {
  return compare(withoutTransportFields(expected), withoutTransportFields(got), '');
}

function withoutTransportFields(body: unknown): unknown {
  if (!isRecord(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !transportFields.has(name)));
}

function compare(expected: unknown, got: unknown, path: string): Difference | undefined {
  if (Object.is(expected, got) || (isNothing(expected) && isNothing(got))) return undefined;
  if (typeof expected === 'string' && expected.includes(redactedText) && matchesRedacted(expected, got))
    return undefined;
  if (Array.isArray(expected) && Array.isArray(got)) {
    for (let index = 0; index < Math.max(expected.length, got.length); index += 1) {
      const found = compare(expected[index], got[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const found = compare(ownValue(expected, key), ownValue(got, key), path === '' ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return { path, expected, got };
}

function ownValue(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function matchesRedacted(expected: string, got: unknown): boolean {
  if (expected === redactedText) return true;
  if (typeof got !== 'string') return false;
  let at = 0;
  const parts = expected.split(redactedText);
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 && index > 0 ? got.lastIndexOf(part) : got.indexOf(part, at);
    if (found < at || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return at === got.length;
}

/** A value in an error message: its JSON, cut to 120 characters. */
export function shortJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}
