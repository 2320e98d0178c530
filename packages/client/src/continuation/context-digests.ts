import { maxContextEnds } from '../base/bounds.js';
import { isReference, typeOf } from './equivalence.js';
import { shapingFields, unchainableField } from './fields.js';
import { normalPieces } from './normal-form.js';
import { canonicalPieces, canonicalText } from '../json/canonical.js';
import { RunningDigest, digestOf } from '../json/digest.js';
import { field, isObject } from '../json/json.js';
import type { Json, JsonObject } from '../json/json.js';

/** A context that the server holds at the end of a response, for others that may continue it. */
export interface HeldContext {
  readonly responseId: string;
  /** Any connection can continue it. */
  readonly stored: boolean;
  /** The fields of the request that shape the context. */
  readonly fields: JsonObject;
  readonly input: readonly Json[];
  readonly output: readonly Json[];
  /** By index, another form in which the server has sent an item of the output. */
  readonly alternates: readonly (Json | undefined)[];
}

/** A place in an input at which a response may have ended. */
export interface ContextEnd {
  /** The index of the first item after the response. */
  readonly from: number;
  readonly digest: string;
}

/** The length of a text, in characters, from which its digest stands for it among the fields. */
const longText = 256;

/**
 * Digests of contexts: the same for two contexts whose items are equal and whose shaping fields are, whoever computes them. Each object is digested once,
 * for as long as it lives: a history that grows shares its items with the one before.
 */
export class ContextDigests {
  readonly #known = new WeakMap<object, Buffer>();

  /** The places in the input of a request after index `after` at which a response may have ended, the last one first. */
  ends(params: JsonObject, after = 0): ContextEnd[] {
    const { input } = params;
    const items = Array.isArray(input) ? input : [];
    const places: number[] = [];
    for (let from = items.length - 1; from > after && places.length < maxContextEnds; from -= 1)
      if (isFromModel(items[from - 1]) && !isFromModel(items[from])) places.push(from);
    const digest = places.length === 0 ? undefined : this.#begun(shapingFields(params));
    if (digest === undefined) return [];
    const ends: ContextEnd[] = [];
    const wanted = new Set(places);
    for (let from = 0; from <= (places[0] ?? 0); from += 1) {
      if (wanted.has(from)) ends.push({ from, digest: digest.current });
      if (!this.#add(digest, items[from])) break;
    }
    return ends.toReversed();
  }

  /** The digests of a context: one for each form in which a client may send it; none for a context without a normal form. */
  of({ fields, input, output, alternates }: HeldContext): string[] {
    const forms = [output];
    if (alternates.some((one) => one !== undefined)) forms.push(output.map((item, index) => alternates[index] ?? item));
    return forms.flatMap((form) => this.#digestOf(fields, [...input, ...form]) ?? []);
  }

  #digestOf(fields: JsonObject, items: readonly Json[]): string | undefined {
    const digest = this.#begun(fields);
    return digest !== undefined && items.every((item) => this.#add(digest, item)) ? digest.current : undefined;
  }

  /** A digest that has the fields; undefined for fields with which a turn is never continued. */
  #begun(fields: JsonObject): RunningDigest | undefined {
    if (unchainableField(fields) !== undefined) return undefined;
    const members: string[] = [];
    for (const name of Object.keys(fields).sort()) {
      const value = fields[name] ?? null;
      // Tools are long, and the same object from turn to turn. Instructions are long, too: a digest costs less than their escapes.
      const text =
        typeof value === 'string' && value.length < longText
          ? canonicalText(value)
          : this.#of(value, canonicalPieces)?.toString('base64');
      if (text === undefined) return undefined;
      members.push(`${JSON.stringify(name)}:${text}`);
    }
    const digest = new RunningDigest();
    digest.add(digestOf([members.join(',')]));
    return digest;
  }

  #add(digest: RunningDigest, item: Json | undefined): boolean {
    const value = item === undefined ? undefined : this.#of(item, normalPieces);
    if (value === undefined) return false;
    digest.add(value);
    return true;
  }

  #of(value: Json, form: (value: Json) => readonly string[] | undefined): Buffer | undefined {
    const known = typeof value === 'object' && value !== null ? this.#known.get(value) : undefined;
    if (known !== undefined) return known;
    const pieces = form(value);
    if (pieces === undefined) return undefined;
    const digest = digestOf(pieces);
    if (typeof value === 'object' && value !== null) this.#known.set(value, digest);
    return digest;
  }
}

/** Whether a model has made an item: the context of a response ends with one. */
function isFromModel(item: Json | undefined): boolean {
  if (!isObject(item) || isReference(item)) return false;
  const type = typeOf(item) ?? '';
  return type === 'message' ? field(item, 'role') === 'assistant' : madeByModels.has(type) || type.endsWith('_call');
}

const madeByModels: ReadonlySet<string> = new Set([
  'compaction',
  'mcp_approval_request',
  'mcp_list_tools',
  'reasoning',
]);
