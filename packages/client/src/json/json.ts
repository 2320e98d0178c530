import { maxJsonDepth } from '../base/bounds.js';

/** A value of JSON. By agreement it is never changed: the memory of chains holds it by reference. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own field, never one of `Object.prototype`: names come from the wire. */
export function field(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a field of a new object, whatever its name. */
export function setField<Value>(object: Record<string, Value>, name: string, value: Value): void {
  // An assignment would set the prototype.
  if (name === '__proto__') Object.defineProperty(object, name, { ...ordinary, value });
  else object[name] = value;
}

const ordinary = { enumerable: true, configurable: true, writable: true };

/** An object with the `wanted` fields of another one; the same object if all are wanted. */
export function pick(object: JsonObject, wanted: (name: string, value: Json | undefined) => boolean): JsonObject {
  const names = Object.keys(object);
  if (names.every((name) => wanted(name, object[name]))) return object;
  const picked: JsonObject = {};
  for (const name of names) if (wanted(name, object[name])) setField(picked, name, object[name] as Json);
  return picked;
}

/** Whether two values are equal, in any order of keys. Values deeper than {@link maxJsonDepth} are not equal. */
export function equal(a: Json | undefined, b: Json | undefined, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth >= maxJsonDepth) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index += 1) if (!equal(a[index], b[index], depth + 1)) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) if (!Object.hasOwn(b, name) || !equal(a[name], b[name], depth + 1)) return false;
  return true;
}

/** The estimated memory of one value beside its text, in bytes. */
const valueBytes = 24;

/**
 * The estimated memory of a value, in bytes; Infinity for one deeper than {@link maxJsonDepth}. A character counts two bytes, which is twice the truth for ASCII.
 */
export function bytesOf(value: Json | undefined, depth = 0): number {
  if (typeof value === 'string') return valueBytes + 2 * value.length;
  if (typeof value !== 'object' || value === null) return valueBytes;
  if (depth >= maxJsonDepth) return Infinity;
  let bytes = valueBytes;
  if (Array.isArray(value)) for (const element of value) bytes += bytesOf(element, depth + 1);
  else for (const name of Object.keys(value)) bytes += 2 * name.length + bytesOf(value[name], depth + 1);
  return bytes;
}
