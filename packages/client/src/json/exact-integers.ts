import { randomUUID } from 'node:crypto';
import { skipString } from './json-scan.js';

/**
 * Integers that JavaScript cannot hold, as clients in other languages send them: the bounds of 64 bits stand in many JSON Schemas. Between the request and
 * the frame each is a string that begins with this mark. It is random, so that no request can contain it.
 */
const mark = randomUUID();

const marked = new RegExp(`"${mark}(-?\\d+)"`, 'g');

/** A quick test: few texts have so many digits in a row. */
const suspect = /\d{16}/;

/** An integer of at least 16 digits; not a name, which JSON does not allow, nor a part of another number. */
const longInteger = /(?<![\w.+-])-?[1-9]\d{15,}(?![\d.eE]|\s*:)/g;

/** True once an integer was marked: few processes ever see one. */
let isUsed = false;

/** The text of JSON with marked integers, where JavaScript would change them; else the same text. */
export function markIntegers(text: string): string {
  if (!suspect.test(text)) return text;
  let result = '';
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const begin = quote === -1 ? text.length : quote;
    const end = quote === -1 ? text.length : skipString(text, quote);
    // The text is not JSON.
    if (end === 0) return text;
    result += text.slice(at, begin).replace(longInteger, markedWhereInexact) + text.slice(begin, end);
    at = end;
  }
  return result;
}

/** The JSON text of a value with its marked integers as they were written. */
export function unmarkIntegers(text: string): string {
  return isUsed ? text.replace(marked, '$1') : text;
}

/** The digits of a marked integer; undefined for any other string. */
export function unmarkedInteger(text: string): string | undefined {
  return isUsed && text.startsWith(mark) ? text.slice(mark.length) : undefined;
}

function markedWhereInexact(digits: string): string {
  if (String(Number(digits)) === digits) return digits;
  isUsed = true;
  return `"${mark}${digits}"`;
}
