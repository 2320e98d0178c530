/** Positions in a text of valid JSON. In an invalid text the results mean nothing. */

/** The index of the `[` of the last member `input`, if it is an array; undefined if there is none, or a name has an escape. */
export function inputArrayIn(text: string): number | undefined {
  let at = skipSpace(text, text.indexOf('{') + 1);
  let found: number | undefined;
  while (text[at] === '"') {
    const nameEnd = skipString(text, at);
    const name = text.slice(at, nameEnd);
    if (name.includes('\\')) return undefined;
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    if (name === '"input"') found = text[value] === '[' ? value : undefined;
    const next = skipSpace(text, skipValue(text, value));
    if (text[next] !== ',') return found;
    at = skipSpace(text, next + 1);
  }
  return undefined;
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
