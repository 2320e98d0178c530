import { Refusal } from '../wire/refusal.js';

/** What JSON a request may be, in levels of arrays and objects inside of each other. Node parses deeper ones, but cannot write them again. */
const MAX_DEPTH = 1000;

/** Parses UTF-8 JSON. `wrong` is the sentence for what is none. @throws Refusal for that, and for JSON that is too deep */
export function parseJson(raw: Uint8Array, wrong: string): unknown {
  const refused = (message: string) => new Refusal(message, { code: 'invalid_json' });
  if (raw.byteLength > MAX_DEPTH && isTooDeep(raw)) {
    throw refused(`The JSON of your request is nested more than ${MAX_DEPTH} levels deep.`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch {
    throw refused(wrong);
  }
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Counts brackets outside of texts. */
function isTooDeep(raw: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < raw.byteLength; at += 1) {
    const byte = raw[at];
    if (byte === QUOTE) {
      for (at += 1; at < raw.byteLength && raw[at] !== QUOTE; at += 1) if (raw[at] === BACKSLASH) at += 1;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}
