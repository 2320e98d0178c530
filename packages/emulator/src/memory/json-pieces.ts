import { isRecord } from '../wire/wire.js';

/** The length of a piece of a long text. */
const pieceLength = 64 * 1024;

/** True for a value with a text so long that `JSON.stringify` would block the event loop. */
export function hasLongText(value: unknown): boolean {
  if (typeof value === 'string') return value.length > 4 * pieceLength;
  if (Array.isArray(value)) return value.some(hasLongText);
  if (!isRecord(value)) return false;
  for (const key in value) if (hasLongText(value[key])) return true;
  return false;
}

/** The JSON of a value, as `JSON.stringify` writes it, in pieces. The value must have been parsed from JSON. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (!hasLongText(value)) {
    yield JSON.stringify(value) ?? 'null';
  } else if (typeof value === 'string') {
    yield '"';
    for (let from = 0, to = from; from < value.length; from = to) {
      to = Math.min(from + pieceLength, value.length);
      // Half of a surrogate pair would be written as an escape.
      if (/[\uD800-\uDBFF]/.test(value.charAt(to - 1))) to = Math.min(to + 1, value.length);
      yield JSON.stringify(value.slice(from, to)).slice(1, -1);
    }
    yield '"';
  } else if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) {
      yield index === 0 ? '[' : ',';
      yield* jsonPieces(each);
    }
    yield ']';
  } else if (isRecord(value)) {
    let separator = '{';
    for (const [key, each] of Object.entries(value)) {
      if (each === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      separator = ',';
      yield* jsonPieces(each);
    }
    yield '}';
  }
}
