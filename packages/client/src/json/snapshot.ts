import { maxJsonDepth } from '../base/bounds.js';
import { setField } from './json.js';
import type { Json, JsonObject } from './json.js';

/** Why a value has no snapshot. */
export type SnapshotProblem = 'nothing' | 'too_deep' | 'big_integer' | 'inexact_number' | 'unreadable';

export class SnapshotError extends Error {
  readonly problem: SnapshotProblem;

  constructor(problem: SnapshotProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SnapshotError';
    this.problem = problem;
  }
}

/**
 * The result of `JSON.parse(JSON.stringify(value))` without writing the text: the structure is copied, strings are shared. A later edit of the value does
 * not change the snapshot (D5).
 *
 * @remarks A string that was cut out of a longer one may keep the longer one in memory.
 * @throws {@link SnapshotError} for what JSON cannot write, for what is nested deeper than 512 levels or contains itself, for getters
 * and `toJSON` functions that throw, and for a `JSON.rawJSON` number that does not survive being parsed.
 */
export function snapshot(value: unknown): Json {
  let copied: Json | undefined;
  try {
    copied = copy(value, '', 0);
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause;
    throw new SnapshotError('unreadable', 'the value cannot be read', cause);
  }
  if (copied === undefined) throw new SnapshotError('nothing', `JSON has no word for ${typeof value}`);
  return copied;
}

/** @param key the name or index in the parent, for `toJSON`. */
function copy(given: unknown, key: string | number, depth: number): Json | undefined {
  let value = given;
  // Most values are strings. As JSON does, `toJSON` is looked up on objects, functions and big integers.
  if (typeof value === 'string') return value;
  if ((typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'bigint') {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') value = (toJSON as (name: string) => unknown).call(value, String(key));
  }
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // JSON writes a negative zero as 0.
      return Number.isFinite(value) ? value + 0 : null;
    case 'bigint':
      throw new SnapshotError('big_integer', 'JSON has no integers of this size');
    case 'object':
      return value === null ? null : copyObject(value, depth);
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): Json {
  if (depth >= maxJsonDepth) {
    throw new SnapshotError('too_deep', `the value is nested deeper than ${maxJsonDepth} levels, or contains itself`);
  }
  if (Array.isArray(value)) {
    const elements: Json[] = [];
    const { length } = value;
    for (let index = 0; index < length; index += 1) elements.push(copy(value[index], index, depth + 1) ?? null);
    return elements;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && isBoxed(value)) return roundTrip(value);
  const fields: JsonObject = {};
  for (const name of Object.keys(value)) {
    const copied = copy((value as Record<string, unknown>)[name], name, depth + 1);
    if (copied !== undefined) setField(fields, name, copied);
  }
  return fields;
}

/** Boxed primitives of any realm, and raw JSON: objects that JSON does not write as objects. */
function isBoxed(value: object): boolean {
  const { isRawJSON } = JSON as { isRawJSON?: (value: unknown) => boolean };
  return /Number|String|Boolean|BigInt/.test(Object.prototype.toString.call(value)) || isRawJSON?.(value) === true;
}

/** Writes and parses a rare object, because only JSON itself knows its value. */
function roundTrip(value: object): Json {
  const text = JSON.stringify(value);
  const parsed = JSON.parse(text) as Json;
  if (typeof parsed === 'number' && JSON.stringify(parsed) !== text) {
    throw new SnapshotError('inexact_number', 'the value has a number that JavaScript cannot hold exactly');
  }
  return parsed;
}
