/** Positions in a text of valid JSON. In an invalid text the results mean nothing. */

/** A place in a text: from its first character to the one after its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The value of a member of the object that begins at or after `at`; undefined where the object has no such member. Of members with the same name the last one
 * counts, as in `JSON.parse`.
 */
export function memberOf(text: string, at: number, name: string): Span | undefined {
  let index = skipSpace(text, text.indexOf('{', at) + 1);
  let found: Span | undefined;
  while (text[index] === '"') {
    const nameEnd = skipString(text, index);
    const from = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const to = skipValue(text, from);
    if (JSON.parse(text.slice(index, nameEnd)) === name) found = { from, to };
    const next = skipSpace(text, to);
    if (text[next] !== ',') return found;
    index = skipSpace(text, next + 1);
  }
  return found;
}

/** The index of the bracket that closes the array or object around `at`; -1 if there is none. */
export function closingBracket(text: string, at: number): number {
  let depth = 1;
  for (let index = at; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case quote:
        index = skipString(text, index) - 1;
        if (index < at) return -1;
        break;
      case openBrace:
      case openBracket:
        depth += 1;
        break;
      case closeBrace:
      case closeBracket:
        depth -= 1;
        if (depth === 0) return index;
        break;
      default:
    }
  }
  return -1;
}

const quote = 0x22;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The index behind a string that begins at `at`; 0 if it has no end. */
export function skipString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return 0;
}

function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === quote) return skipString(text, at);
  if (first === openBrace || first === openBracket) return closingBracket(text, at + 1) + 1;
  plain.lastIndex = at;
  plain.test(text);
  return plain.lastIndex;
}

const plain = /[^,\]}\s]*/y;

function skipSpace(text: string, at: number): number {
  let index = at;
  for (;;) {
    const code = text.charCodeAt(index);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return index;
    index += 1;
  }
}
