import { maxParsedLength } from '../base/bounds.js';
import { bytesOf, equal, isObject } from './json.js';
import type { Json } from './json.js';

/**
 * Whether two texts are the same JSON: white space, the order of keys and escapes do not count. SDKs parse a call's `arguments` and
 * write them anew (docs/continuation.md).
 *
 * False, unless the texts are the same, for what does not survive being parsed: numbers that a double cannot hold, a negative zero, a key
 * that stands twice, text that is no JSON at all, and text of more than a mebibyte, which is not worth parsing.
 */
export function equalJsonText(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [exactJson(a), exactJson(b)];
  return left !== undefined && right !== undefined && equal(left, right);
}

/** The value of a text that survives being parsed; undefined for any other. */
export function exactJson(text: string): Json | undefined {
  if (text.length > maxParsedLength) return undefined;
  const value = parseJson(text);
  return value !== undefined && bytesOf(value) < Infinity && isExact(text, value) ? value : undefined;
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** A token of JSON text: a string, a number, or the colon of a member. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|:/g;

function isExact(text: string, parsed: Json): boolean {
  let colons = 0;
  for (const [found] of text.matchAll(token)) {
    if (found === ':') colons += 1;
    else if (found[0] !== '"' && decimal(found) !== decimal(String(Number(found)))) return false;
  }
  return colons === members(parsed);
}

/** The depth of the value was checked before. */
function members(value: Json): number {
  let count = 0;
  if (Array.isArray(value)) for (const element of value) count += members(element);
  else if (isObject(value)) for (const name of Object.keys(value)) count += 1 + members(value[name] ?? null);
  return count;
}

/** The canonical form of a number: sign, digits without zeros at either end, exponent. `100`, `1e2` and `100.0` give the same. */
function decimal(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return whole === '' ? literal : `${sign}0`;
  return `${sign}${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}
