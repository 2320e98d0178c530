import { TextDigest } from './text-digest.js';

/** What JSON can say. By agreement nothing of this type is changed after it was made: what is remembered is held by reference. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json;
}

/** The same, as it is remembered: {@link TextDigest}s stand for long texts. */
export type StoredJson = Json | TextDigest | StoredJson[] | StoredObject;

export interface StoredObject {
  [name: string]: StoredJson;
}

/** Levels of nesting; what is deeper is not remembered (N19). No request that a model can use comes near it. */
export const maxDepth = 512;

export function isObject(value: Json | undefined): value is JsonObject;
export function isObject(value: StoredJson | undefined): value is StoredObject;
export function isObject(value: StoredJson | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TextDigest);
}

/** A field of its own, never one of `Object.prototype`: names come from the wire. */
export function field(object: JsonObject, name: string): Json | undefined;
export function field(object: StoredObject, name: string): StoredJson | undefined;
export function field(object: StoredObject, name: string): StoredJson | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a field of a new object, whatever its name. */
export function setField<Value>(object: Record<string, Value>, name: string, value: Value): void {
  // Assigned, it would be the prototype.
  if (name === '__proto__') Object.defineProperty(object, name, { ...ordinary, value });
  else object[name] = value;
}

const ordinary = { enumerable: true, configurable: true, writable: true };

/** An object with those fields of another one that are `wanted`; the other one itself, if that is all of them. */
export function pick(object: JsonObject, wanted: (name: string, value: Json | undefined) => boolean): JsonObject {
  const names = Object.keys(object);
  if (names.every((name) => wanted(name, object[name]))) return object;
  const picked: JsonObject = {};
  for (const name of names) if (wanted(name, object[name])) setField(picked, name, object[name] as Json);
  return picked;
}

/**
 * Whether two values say the same, whatever the order of their keys. Costs the number of fields, not of bytes, where both sides
 * hold the same strings. Beyond {@link maxDepth} nothing is equal.
 */
export function equal(a: StoredJson | undefined, b: StoredJson | undefined, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a === 'string') return b instanceof TextDigest && b.matches(a);
  if (typeof b === 'string') return a instanceof TextDigest && a.matches(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth >= maxDepth) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index += 1) if (!equal(a[index], b[index], depth + 1)) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  if (a instanceof TextDigest || b instanceof TextDigest)
    return a instanceof TextDigest && b instanceof TextDigest && a.equals(b);
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) if (!Object.hasOwn(b, name) || !equal(a[name], b[name], depth + 1)) return false;
  return true;
}

/** Memory taken by one value beside its text: a header, a slot in its parent. An estimate, rather too high. */
const valueBytes = 24;

/**
 * An estimate of the memory that a value holds, in bytes; Infinity where it is deeper than {@link maxDepth}. Two bytes a character, which
 * is twice the truth for plain ASCII: what a string really takes cannot be asked. A digest counts as its text, which it may come to hold.
 */
export function bytesOf(value: StoredJson | undefined, depth = 0): number {
  if (typeof value === 'string' || value instanceof TextDigest) return valueBytes + 2 * value.length;
  if (typeof value !== 'object' || value === null) return valueBytes;
  if (depth >= maxDepth) return Infinity;
  let bytes = valueBytes;
  if (Array.isArray(value)) for (const element of value) bytes += bytesOf(element, depth + 1);
  else for (const name of Object.keys(value)) bytes += 2 * name.length + bytesOf(value[name], depth + 1);
  return bytes;
}
