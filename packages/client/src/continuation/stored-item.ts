import { TextDigest, minDigestedLength } from '../json/text-digest.js';
import { bytesOf, setField } from '../json/json.js';
import type { StoredJson, StoredObject, Json } from '../json/json.js';

/** An output item as it is remembered: with digests of its long texts. */
export function digestLongTexts(item: Json): StoredJson {
  return bytesOf(item) < bytesPerCharacter * minDigestedLength ? item : withDigests(item);
}

/** The estimate of {@link bytesOf}. */
const bytesPerCharacter = 2;

function withDigests(value: Json): StoredJson {
  if (typeof value === 'string') return TextDigest.of(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withDigests);
  const fields: StoredObject = {};
  for (const [name, one] of Object.entries(value))
    setField(fields, name, comparedAsText.has(name) ? one : withDigests(one));
  return fields;
}

/** Fields whose text is compared as JSON, and must be kept. */
const comparedAsText: ReadonlySet<string> = new Set(['arguments']);
