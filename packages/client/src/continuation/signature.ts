import { isReference, typeOf } from './equivalence.js';
import { field, isObject } from '../json/json.js';
import { mixHash, sampleHash } from '../json/sample-hash.js';
import type { Json, JsonObject } from '../json/json.js';

/**
 * A hash of an item, for the index. Equivalent items have the same signature, except references, which are found by their id. Different items seldom share
 * one, and are compared then.
 */
export function signatureOf(item: Json): number {
  if (!isObject(item)) return mixText(1, typeof item === 'string' ? item : typeof item);
  const type = typeOf(item) ?? '';
  let signature = mixText(2, type);
  switch (type) {
    case 'message':
      return mixContent(mixText(signature, field(item, 'role')), field(item, 'content'));
    case 'function_call':
      return mixText(mixText(signature, field(item, 'call_id')), field(item, 'name'));
    case 'reasoning':
      return mixText(signature, field(item, 'encrypted_content'));
    case 'item_reference':
      return mixText(signature, field(item, 'id'));
    default:
      // Fields that no rule of equivalence touches.
      for (const name of ['call_id', 'name', 'output']) signature = mixText(signature, field(item, name));
      return signature;
  }
}

/** The id of an item, or the id that a reference names. */
export function idOf(item: Json): string | undefined {
  const id = isObject(item) ? field(item, 'id') : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The id that a reference names; undefined for any other item. */
export function referenceOf(item: Json): string | undefined {
  return isObject(item) && isReference(item) ? idOf(item) : undefined;
}

export function fieldsSignature(fields: JsonObject): number {
  let signature = Object.keys(fields).length;
  for (const name of ['model', 'instructions']) signature = mixText(signature, field(fields, name));
  return signature;
}

/** A string and the one part that it stands for give the same hash. */
function mixContent(signature: number, content: Json | undefined): number {
  if (typeof content === 'string') return mixText(mixHash(signature, 1), content);
  if (!Array.isArray(content)) return signature;
  let mixed = mixHash(signature, content.length);
  for (const part of content) mixed = mixText(mixed, isObject(part) ? field(part, 'text') : undefined);
  return mixed;
}

/** Mixes a text into a hash; any other value counts as absent. */
function mixText(signature: number, text: Json | undefined): number {
  return mixHash(signature, typeof text === 'string' ? sampleHash(text) : 0);
}
