import { isReference, partRulesOf, partsOf, rulesOf, textTypeOf, typeOf } from './equivalence.js';
import { canonicalPieces, canonicalText } from '../json/canonical.js';
import { field, isObject, setField } from '../json/json.js';
import { exactJson } from '../json/json-text.js';
import type { Json, JsonObject } from '../json/json.js';
import type { Tolerance, Tolerances } from './equivalence.js';

/**
 * A text that is the same for two items that are `equivalent`, and different for two that differ in anything a model reads. What only one of two equivalent
 * items may have (`id`, `status`, `phase`) is left out. `docs/cluster.md` describes the form.
 *
 * undefined for a reference, which is equivalent to an item that is not known here, and for what is nested too deep to be compared.
 */
export function normalForm(item: Json): string | undefined {
  return normalPieces(item)?.join('');
}

/** The normal form in pieces, as `canonicalPieces` gives them. */
export function normalPieces(item: Json): string[] | undefined {
  if (!isObject(item)) return canonicalPieces(item);
  const rules = rulesOf(item);
  if (isReference(item)) return undefined;
  return canonicalPieces(rules === undefined ? item : { ...normalFields(item, rules), type: typeOf(item) ?? null });
}

function normalFields(item: JsonObject, rules: Tolerances): JsonObject {
  const fields: JsonObject = {};
  for (const name of Object.keys(item)) {
    const value = normalField(item[name] ?? null, item, rules.get(name));
    if (value !== null) setField(fields, name, value);
  }
  return fields;
}

/** null for a field that is left out. */
function normalField(value: Json, item: JsonObject, tolerance: Tolerance = 'nullable'): Json {
  switch (tolerance) {
    case 'optional':
    case 'callId':
    case 'ignored':
      return null;
    case 'empty':
      return Array.isArray(value) && value.length === 0 ? null : value;
    case 'json':
      return typeof value === 'string' ? normalText(value) : value;
    case 'content':
      return normalContent(partsOf(value, textTypeOf(field(item, 'role'))));
    default:
      return value;
  }
}

/** The form of a text. Its prefix keeps it apart from values that are no text. */
function normalText(text: string): string {
  const value = exactJson(text);
  const canonical = value === undefined ? undefined : canonicalText(value);
  return canonical === undefined ? `text ${text}` : `json ${canonical}`;
}

function normalContent(content: Json): Json {
  if (!Array.isArray(content)) return content;
  return content.map((part) => (isObject(part) ? normalFields(part, partRulesOf(part)) : part));
}
