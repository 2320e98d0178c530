import { maxRebuiltElements } from '../base/bounds.js';
import { setField } from '../json/json.js';
import { SnapshotError, snapshot } from '../json/snapshot.js';
import type { Json, JsonObject } from '../json/json.js';
import type { ItemPatch } from '../protocol/event-types.js';

export type Fields = Readonly<Record<string, unknown>>;

/** An output item put together from its deltas, until the finished item comes. */
export class PartialItem {
  readonly item: JsonObject = {};
  /** The bytes of the deltas, as they came. */
  bytes = 0;

  add(fields: Fields, patch: ItemPatch, bytes: number): void {
    this.bytes += bytes;
    const { item } = this;
    const value = fields[patch.append ?? patch.set ?? patch.push ?? patch.merge ?? patch.splice ?? ''];
    const index = patch.index === undefined ? undefined : fields[patch.index];
    if (typeof fields['item_id'] === 'string') item['id'] ??= fields['item_id'];
    // The last event of the arguments names the function.
    for (const name of ['name', 'call_id']) if (typeof fields[name] === 'string') item[name] ??= fields[name];
    if (patch.list === undefined && patch.field === undefined) return mergeFields(item, value);
    item['type'] ??= patch.of ?? (typeOf(value) === 'reasoning_text' ? 'reasoning' : 'message');
    if (patch.list === undefined) return this.#assign(item, patch.field ?? '', value, patch);
    const list = listAt(item, patch.list);
    const at = positionIn(list, index, patch.part ?? typeOf(value));
    if (patch.splice !== undefined) {
      // Assigned one by one, since the list may be shorter than the index.
      const elements = Array.isArray(value) ? (value as Json[]).slice(0, maxRebuiltElements) : [];
      for (const [offset, element] of elements.entries()) list[at + offset] = element;
      return;
    }
    if (patch.part === undefined && (patch.append ?? patch.set) !== undefined) {
      const before = list[at];
      if (typeof value !== 'string') list[at] = { ...(before as JsonObject | undefined), ...withoutEmpty(value) };
      else if (patch.append !== undefined) list[at] = textOf(before) + value;
      else if (value !== '') list[at] = value;
      return;
    }
    const element = objectAt(list, at);
    if (patch.part !== undefined) element['type'] ??= patch.part;
    if (patch.merge !== undefined) {
      for (const [name, text] of Object.entries(withoutEmpty(value)))
        if (typeof text === 'string') element[name] = textOf(element[name]) + text;
      return;
    }
    const field = patch.field ?? '';
    this.#assign(element, field, value, patch);
  }

  #assign(target: JsonObject, field: string, value: unknown, { append, push }: ItemPatch): void {
    const before = target[field];
    if (push !== undefined) target[field] = [...(Array.isArray(before) ? before : []), value as Json];
    else if (append !== undefined) {
      if (typeof value === 'string') target[field] = textOf(before) + value;
    }
    // An empty final value does not replace the deltas.
    else if (!isEmpty(value)) target[field] = value as Json;
    else target[field] ??= value as Json;
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The fields of an object that are not empty. */
function withoutEmpty(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value as JsonObject).filter(([, one]) => !isEmpty(one)));
}

/** Puts the fields of `value` over those of `item`. An empty field does not replace a filled one. */
export function mergeFields(item: JsonObject, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, one] of Object.entries(copied(value) as JsonObject))
    if (!isEmpty(one) || item[name] === undefined) setField(item, name, one);
}

/** A copy of what an event holds. What is nested too deep for a snapshot is rare, and may take its time. */
function copied(value: object): Json {
  try {
    return snapshot(value);
  } catch (error) {
    if (error instanceof SnapshotError) return structuredClone(value) as Json;
    throw error;
  }
}

function typeOf(value: unknown): unknown {
  return (value as { type?: unknown } | null | undefined)?.type;
}

/** The list at a path such as `action.commands`, made if it is missing. */
function listAt(item: JsonObject, path: string): (Json | undefined)[] {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let parent = item;
  for (const name of names) parent = objectIn(parent, name);
  const found = parent[last];
  if (Array.isArray(found)) return found;
  const list: Json[] = [];
  parent[last] = list;
  return list;
}

function objectIn(parent: JsonObject, name: string): JsonObject {
  const found = parent[name];
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  const made: JsonObject = {};
  parent[name] = made;
  return made;
}

function objectAt(list: (Json | undefined)[], at: number): JsonObject {
  const found = list[at];
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  const made: JsonObject = {};
  list[at] = made;
  return made;
}

/** The position of a list element: its index, else the part of this type, else the end. */
function positionIn(list: readonly (Json | undefined)[], index: unknown, part: unknown): number {
  if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < maxRebuiltElements) return index;
  const found = list.findIndex((element) => typeOf(element) === part);
  return found === -1 || part === undefined ? list.length : found;
}
