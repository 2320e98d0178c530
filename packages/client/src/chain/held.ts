import { Digest, shortestDigested } from './digest.js';
import { bytesOf } from './json.js';
import type { HeldJson, Json } from './json.js';

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
  const fields = Object.entries(value).map(
    ([name, one]) => [name, comparedAsText.has(name) ? one : withDigests(one)] as const,
  );
  // Not by assignment, which would take `__proto__` for the prototype.
  return Object.fromEntries(fields);
}

/** Where another text may be the same JSON, it takes the text to tell. */
const comparedAsText: ReadonlySet<string> = new Set(['arguments']);
