import { TextDecoder } from 'node:util';
import { isAscii } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Incremental } from '../base/incremental.js';
import { isRecord } from '../wire/wire.js';

/** A text in a JSON body: the indices of its quotes. */
export interface LongText {
  readonly open: number;
  readonly close: number;
}

const [backslashByte, unicodeEscapeByte] = [0x5c, 0x75] as const;

/** The number of bytes of a text that are decoded in one step. */
const sliceBytes = 128 * 1024;

/** The number of values that are visited in one step. */
const visitedPerStep = 10_000;

/**
 * Parses JSON with long texts, for each of which `JSON.parse` would block the event loop. Each text is replaced by a short placeholder while
 * `parse` parses the rest. The texts are decoded in slices, and replace their placeholders at the end.
 *
 * @throws SyntaxError for a text that is not valid
 */
export function* parseLongTexts(
  raw: Buffer,
  texts: readonly LongText[],
  parse: (short: Buffer) => Incremental<unknown>,
): Incremental<unknown> {
  const prefix = randomUUID();
  const short: Uint8Array[] = [];
  const byName = new Map<string, string>();
  let from = 0;
  for (const [index, text] of texts.entries()) {
    const name = `${prefix}:${index}`;
    short.push(raw.subarray(from, text.open), Buffer.from(`"${name}"`));
    byName.set(name, yield* decodeText(raw, text));
    from = text.close + 1;
  }
  const parsed = yield* parse(Buffer.concat([...short, raw.subarray(from)]));
  return yield* withTexts(parsed, byName);
}

function* decodeText(raw: Buffer, { open, close }: LongText): Incremental<string> {
  const slices: string[] = [];
  for (let from = open + 1, to = from; from < close; from = to) {
    to = endOfSlice(raw, from, close);
    const slice: unknown = JSON.parse(`"${decoded(raw.subarray(from, to))}"`);
    slices.push(String(slice));
    yield;
  }
  return slices.join('');
}

/** The end of a slice of a text, which is never within an escape or a character of several bytes. */
function endOfSlice(raw: Buffer, from: number, close: number): number {
  const wanted = from + sliceBytes;
  if (wanted >= close) return close;
  let end = from;
  for (let at = raw.indexOf(backslashByte, from); at !== -1 && at < wanted; at = raw.indexOf(backslashByte, end)) {
    end = at + (raw[at + 1] === unicodeEscapeByte ? 6 : 2);
  }
  end = Math.max(end, wanted);
  while (end < close && ((raw[end] ?? 0) & 0xc0) === 0x80) end += 1;
  return Math.min(end, close);
}

function decoded(slice: Buffer): string {
  if (isAscii(slice)) return slice.toString('latin1');
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(slice);
}

/** The value with each placeholder replaced by its text. */
function* withTexts(parsed: unknown, byName: ReadonlyMap<string, string>): Incremental<unknown> {
  const textOf = (value: unknown): unknown => (typeof value === 'string' ? (byName.get(value) ?? value) : value);
  const unvisited: object[] = [];
  const visit = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) unvisited.push(value);
    return textOf(value);
  };
  const whole = visit(parsed);
  let visited = 0;
  for (let at = unvisited.pop(); at !== undefined; at = unvisited.pop()) {
    if (Array.isArray(at)) {
      for (const [index, value] of at.entries()) at[index] = visit(value);
    } else if (isRecord(at)) {
      for (const key of Object.keys(at)) at[key] = visit(at[key]);
    }
    visited += 1;
    if (visited % visitedPerStep === 0) yield;
  }
  return whole;
}
