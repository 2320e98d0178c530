import { TextDecoder } from 'node:util';
import { isAscii } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Incremental } from '../base/incremental.js';
import { Refusal } from '../wire/refusal.js';
import { isRecord } from '../wire/wire.js';
import { parseLongTexts, type LongText } from './long-texts.js';

/** The maximum depth of arrays and objects in the JSON of a request. Node.js can parse deeper JSON, but cannot stringify it again. */
const maxDepth = 1000;

/** The size above which a body, a list or a text is parsed in steps. */
const largeBytes = 256 * 1024;

/** True for a body that `parseJson` parses in more than one step. */
export function isLarge(raw: Uint8Array): boolean {
  return raw.byteLength > largeBytes;
}

/** Parses UTF-8 JSON. @throws Refusal with `invalidMessage` for bytes that are not JSON, and for JSON that is nested too deeply */
export function* parseJson(raw: Buffer, invalidMessage: string): Incremental<unknown> {
  const refused = (message: string) => new Refusal(message, { code: 'invalid_json' });
  const largeValues: LargeValues = { lists: [], texts: [] };
  if (raw.byteLength > maxDepth && (yield* isTooDeep(raw, isLarge(raw) ? largeValues : undefined))) {
    throw refused(`The JSON of your request is nested more than ${maxDepth} levels deep.`);
  }
  const { lists, texts } = largeValues;
  try {
    if (texts.length > 0) return yield* parseLongTexts(raw, texts, (short) => parseJson(short, invalidMessage));
    return lists.length === 0 ? yield* parseWhole(raw) : yield* parseInParts(raw, lists);
  } catch {
    throw refused(invalidMessage);
  }
}

function* parseWhole(raw: Buffer): Incremental<unknown> {
  const text = decoded(raw);
  if (isLarge(raw)) yield;
  return JSON.parse(text);
}

/** Decodes UTF-8. Pure ASCII, as most JSON is, is decoded as latin1, which takes a tenth of the time. */
function decoded(raw: Buffer): string {
  return isAscii(raw) ? raw.toString('latin1') : new TextDecoder('utf-8', { fatal: true }).decode(raw);
}

const [quoteByte, backslashByte, openListByte, closeListByte, openObjectByte, closeObjectByte, commaByte] = [
  0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d, 0x2c,
] as const;
const colonByte = 0x3a;
const spaceBytes: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** A list in a field of the outermost object: the indices of its brackets, and of the commas between its elements. */
interface List {
  readonly open: number;
  readonly commas: number[];
  close: number;
}

/** The lists and texts of a body that are parsed in steps. */
interface LargeValues {
  readonly lists: List[];
  readonly texts: LongText[];
}

/** The number of bytes outside of texts, and of quotes within texts, that are scanned in one step. */
const scannedPerStep = 65_536;

/** True for JSON that is nested too deeply. Collects large lists and texts in `largeValues`, if that is given. */
function* isTooDeep(raw: Buffer, largeValues: LargeValues | undefined): Incremental<boolean> {
  let depth = 0;
  let list: List | undefined;
  let steps = 0;
  for (let at = 0; at < raw.byteLength; at += 1) {
    steps += 1;
    if (steps % scannedPerStep === 0) yield;
    const byte = raw[at];
    if (byte === quoteByte) {
      const open = at;
      do {
        at = raw.indexOf(quoteByte, at + 1);
        steps += 1;
        if (steps % scannedPerStep === 0) yield;
      } while (at !== -1 && isEscaped(raw, open, at));
      if (at === -1) return false;
      if (at - open > largeBytes && !isKey(raw, at)) largeValues?.texts.push({ open, close: at });
    } else if (byte === openListByte || byte === openObjectByte) {
      depth += 1;
      if (depth > maxDepth) return true;
      if (depth === 2 && byte === openListByte) list = { open: at, commas: [], close: at };
    } else if (byte === closeListByte || byte === closeObjectByte) {
      depth -= 1;
      if (depth === 1 && list !== undefined) {
        list.close = at;
        // A list that ends in another bracket is for the parser to refuse.
        if (byte === closeListByte && at - list.open > largeBytes) largeValues?.lists.push(list);
        list = undefined;
      }
    } else if (byte === commaByte && depth === 2) list?.commas.push(at);
  }
  return false;
}

/** True if the text that ends at this quote is the name of a field. */
function isKey(raw: Buffer, quote: number): boolean {
  let after = quote + 1;
  while (spaceBytes.has(raw[after] ?? 0)) after += 1;
  return raw[after] === colonByte;
}

/** True if a backslash escapes this quote, which then is a part of the text that begins at `open`. */
function isEscaped(raw: Buffer, open: number, quote: number): boolean {
  let before = quote;
  while (before > open + 1 && raw[before - 1] === backslashByte) before -= 1;
  return (quote - before) % 2 === 1;
}

/** The number of bytes of a list that are parsed in one step. */
const partBytes = 128 * 1024;

/** Parses the outermost object with a placeholder for each large list, then the lists, some elements at a time. */
function* parseInParts(raw: Buffer, lists: readonly List[]): Incremental<unknown> {
  const name = randomUUID();
  const skeleton: Uint8Array[] = [];
  let from = 0;
  for (const [index, { open, close }] of lists.entries()) {
    skeleton.push(raw.subarray(from, open), Buffer.from(`"${name}:${index}"`));
    from = close + 1;
  }
  const outermost = yield* parseWhole(Buffer.concat([...skeleton, raw.subarray(from)]));
  if (!isRecord(outermost)) return yield* parseWhole(raw);
  yield;
  const elements = new Map<unknown, readonly unknown[]>();
  for (const [index, list] of lists.entries()) elements.set(`${name}:${index}`, yield* parseList(raw, list));
  return Object.fromEntries(Object.entries(outermost).map(([key, value]) => [key, elements.get(value) ?? value]));
}

function* parseList(raw: Buffer, { open, commas, close }: List): Incremental<readonly unknown[]> {
  const elements: unknown[] = [];
  let from = open + 1;
  let count = 0;
  for (const [index, end] of [...commas, close].entries()) {
    count += 1;
    if (end - from < partBytes && index < commas.length) continue;
    const part: unknown = JSON.parse(`[${decoded(raw.subarray(from, end))}]`);
    // The part has fewer elements than commas if two commas have nothing between them.
    if (!Array.isArray(part) || part.length !== count) throw new SyntaxError('an element is missing');
    for (const element of part) elements.push(element);
    from = end + 1;
    count = 0;
    yield;
  }
  return elements;
}
