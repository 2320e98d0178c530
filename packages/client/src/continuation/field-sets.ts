import { bytesOf, equal } from '../json/json.js';
import { fieldsSignature } from './signature.js';
import type { JsonObject } from '../json/json.js';

/** The shaping fields of one or more responses. Many conversations have the same instructions and tools: they are stored once. */
export interface FieldSet {
  readonly fields: JsonObject;
  readonly bytes: number;
  /** The number of responses with these fields. */
  users: number;
}

export class FieldSets {
  readonly #sets = new Map<number, FieldSet[]>();

  /** The estimated memory, in bytes. */
  bytes = 0;

  find(fields: JsonObject): FieldSet | undefined {
    return this.#sets.get(fieldsSignature(fields))?.find((set) => equal(set.fields, fields));
  }

  acquire(fields: JsonObject): FieldSet {
    let set = this.find(fields);
    if (set === undefined) {
      set = { fields, bytes: bytesOf(fields), users: 0 };
      const signature = fieldsSignature(fields);
      this.#sets.set(signature, [...(this.#sets.get(signature) ?? []), set]);
      this.bytes += set.bytes;
    }
    set.users += 1;
    return set;
  }

  release(set: FieldSet): void {
    set.users -= 1;
    if (set.users > 0) return;
    const signature = fieldsSignature(set.fields);
    const others = this.#sets.get(signature)?.filter((other) => other !== set) ?? [];
    if (others.length === 0) this.#sets.delete(signature);
    else this.#sets.set(signature, others);
    this.bytes -= set.bytes;
  }
}
