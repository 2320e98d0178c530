import { Digest, shortestDigested } from './digest.js';
import { bytesOf, put } from './json.js';
import type { HeldJson, HeldObject, Json } from './json.js';

/** An item of an answer as it is remembered: with digests for its long texts. */
export function heldOf(item: Json): HeldJson {
  return bytesOf(item) < bytesPerCharacter * shortestDigested ? item : withDigests(item);
}

/** As {@link bytesOf} has it. */
const bytesPerCharacter = 2;

function withDigests(value: Json): HeldJson {
  if (typeof value === 'string') return Digest.of(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withDigests);
  const fields: HeldObject = {};
  for (const [name, one] of Object.entries(value)) put(fields, name, comparedAsText.has(name) ? one : withDigests(one));
  return fields;
}

/** Where another text may be the same JSON, it takes the text to tell. */
const comparedAsText: ReadonlySet<string> = new Set(['arguments']);
