import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { ruleSchema } from '../../dist/faults/rule.js';
import type { FaultRule, Script } from '../../dist/index.js';
import type { scriptSchema } from '../../dist/sources/script/script.js';

/** True for identical types. Types that are assignable to each other can still differ in an optional field. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the compiler compares the two functions by it
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A type with its names resolved, on every level. */
type Plain<T> = T extends (...args: never) => unknown ? T : T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;

// These do not compile when a type written by hand and its schema differ.
const scripts: Same<Plain<Script>, Plain<z.input<typeof scriptSchema>>> = true;
const rules: Same<Plain<FaultRule>, Plain<z.input<typeof ruleSchema>>> = true;

test('the declared types of scripts and faults equal the types of their schemas', () => {
  assert.deepEqual([scripts, rules], [true, true]);
});
