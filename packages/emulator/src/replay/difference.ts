import { redactedText } from '../record/format.js';
import { isRecord } from '../wire/wire.js';

/** The first place at which two JSON values differ. */
export interface Difference {
  /** As in JavaScript: `input[1].content`; empty for the whole. */
  readonly path: string;
  /** Undefined where there is nothing. */
  readonly expected: unknown;
  readonly got: unknown;
}

/**
 * What may differ between two runs of one program and means nothing: how the answer is carried (`type`, `stream`, `stream_id`,
 * `stream_options` with its obfuscation), and what Codex says about itself.
 */
const transportFields = new Set(['type', 'stream', 'stream_id', 'stream_options', 'client_metadata']);

/**
 * Compares a request with the recorded one. The order of keys means nothing, nor does `null` for a field that is left out;
 * what was redacted equals anything. Ids are compared: a replay gives out the recorded ones, so a client that continues
 * them must name them.
 */
export function firstDifference(expected: unknown, got: unknown): Difference | undefined {
  return differ(withoutTransportFields(expected), withoutTransportFields(got), '');
}

function withoutTransportFields(body: unknown): unknown {
  if (!isRecord(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !transportFields.has(name)));
}

function differ(expected: unknown, got: unknown, path: string): Difference | undefined {
  if (Object.is(expected, got) || (isNothing(expected) && isNothing(got))) return undefined;
  if (typeof expected === 'string' && expected.includes(redactedText) && matchesRedacted(expected, got))
    return undefined;
  if (Array.isArray(expected) && Array.isArray(got)) {
    for (let index = 0; index < Math.max(expected.length, got.length); index += 1) {
      const found = differ(expected[index], got[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const found = differ(own(expected, key), own(got, key), path === '' ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return { path, expected, got };
}

function own(record: Record<string, unknown>, key: string): unknown {
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

/** For a sentence: JSON, cut where it gets long. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}
