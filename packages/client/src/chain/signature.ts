import { isReference, typeOf } from './equivalence.js';
import { field, isObject } from './json.js';
import type { Json, JsonObject } from './json.js';

/**
 * Small numbers by which an item, or a set of fields, is looked up. Items that are equivalent have the same signature, with one
 * exception: a reference is found by its id. Different items seldom share one, and then comparing tells them apart.
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

/** The id by which a reference means this item, or that it carries as a reference. */
export function idOf(item: Json): string | undefined {
  const id = isObject(item) ? field(item, 'id') : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The id that an item given refers to, where it is a reference. */
export function referenceOf(item: Json): string | undefined {
  return isObject(item) && isReference(item) ? idOf(item) : undefined;
}

export function fieldsSignature(fields: JsonObject): number {
  let signature = Object.keys(fields).length;
  for (const name of ['model', 'instructions']) signature = mixText(signature, field(fields, name));
  return signature;
}

/** A string and the one part that it stands for must come out the same. */
function mixContent(signature: number, content: Json | undefined): number {
  if (typeof content === 'string') return mixText(mix(signature, 1), content);
  if (!Array.isArray(content)) return signature;
  let mixed = mix(signature, content.length);
  for (const part of content) mixed = mixText(mixed, isObject(part) ? field(part, 'text') : undefined);
  return mixed;
}

/** Texts up to this length are read whole; of longer ones at most as many characters, spread evenly. */
const samples = 64;

/** Anything but a string counts as absent. */
function mixText(signature: number, text: Json | undefined): number {
  if (typeof text !== 'string') return mix(signature, 0);
  let mixed = mix(signature, text.length);
  const step = Math.max(1, Math.ceil(text.length / samples));
  for (let at = 0; at < text.length; at += step) mixed = mix(mixed, text.charCodeAt(at));
  return mixed;
}

/** One round of FNV-1a, on 32 bits. */
function mix(signature: number, value: number): number {
  return Math.imul(signature ^ value, 16_777_619);
}
