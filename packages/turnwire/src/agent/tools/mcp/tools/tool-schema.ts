import { type Fields, isFields } from '../message.js';

/** The deepest and the longest schema: levels of values, and characters. */
const deepest = 200;
const longest = 256 * 1024;

const types = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

type Rule = (value: unknown, context: Context) => unknown;

interface Context {
  root: Fields;
  /** The place in the schema, for people: `properties.a.items`. */
  path: string;
}

/** Thrown for a schema with an unknown meaning. */
class Unusable extends Error {
  constructor({ path }: Context, what: string) {
    super(path === '' ? what : `${path}: ${what}`);
  }
}

/**
 * The schema of a tool's arguments in the form that the API takes: a JSON Schema of type object. Many servers describe an object in another way, or write
 * null for a missing value. A single keyword that the API refuses would make every turn fail.
 *
 * @throws Error that says what cannot be used in it
 */
export function argumentsSchema(given: unknown): Fields {
  // PHP writes an empty object as a list.
  if (given === undefined || given === null || given === true || (Array.isArray(given) && given.length === 0))
    return { type: 'object', properties: {} };
  if (!isFields(given)) throw new Error(`expected a JSON Schema, got ${JSON.stringify(given).slice(0, 100)}`);
  if (!isShallow(given, deepest)) throw new Error(`it is more than ${deepest} levels deep`);
  if (JSON.stringify(given).length > longest) throw new Error(`it has more than ${longest / 1024} KiB`);
  const read = schemaRule(given, { root: given, path: '' }) as Fields;
  const schema = objectOf(read, read, []);
  // The targets of references may have been moved into the one object.
  return schemaRule(schema, { root: schema, path: '' }) as Fields;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isShallow(each, levels - 1));
}

/** A schema as one object: at the root the API takes neither a reference nor a choice between schemas. */
function objectOf(schema: unknown, root: Fields, way: readonly string[]): Fields {
  const { $ref: reference, allOf, anyOf, oneOf, type, not: _not, enum: _enum, ...own } = isFields(schema) ? schema : {};
  if (!saysObject(type)) throw new Error(`its arguments are no object, but of type ${JSON.stringify(type)}`);
  const parts: Fields[] = [];
  if (typeof reference === 'string') {
    if (way.includes(reference)) throw new Error(`$ref: ${reference} leads to itself`);
    parts.push(objectOf(target(root, reference), root, [...way, reference]));
  }
  parts.push(...listOf(allOf).map((each) => objectOf(each, root, way)), own);
  const choices = [anyOf, oneOf].filter(Array.isArray).map((list: unknown[]) => {
    const objects = list.filter((each) => isFields(each) && saysObject(each['type']));
    if (objects.length === 0) throw new Error('its arguments are no object');
    return objects.map((each) => objectOf(each, root, way));
  });
  // The object for a choice allows the properties of every alternative, and requires those that every alternative requires.
  const required = new Set([
    ...parts.flatMap(requiredOf),
    ...choices.flatMap(([first, ...others]) =>
      requiredOf(first).filter((name) => others.every((each) => requiredOf(each).includes(name))),
    ),
  ]);
  const properties = Object.assign({}, ...[...choices.flat(), ...parts].map((part) => part['properties'])) as Fields;
  const { required: _required, ...merged } = Object.assign({}, ...parts) as Fields;
  return { ...merged, type: 'object', properties, ...(required.size > 0 && { required: [...required] }) };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function saysObject(type: unknown): boolean {
  return type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
}

function requiredOf(schema: Fields | undefined): string[] {
  return listOf(schema?.['required']) as string[];
}

/** The part of the schema at a JSON Pointer; undefined where it leads nowhere. */
function target(root: Fields, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const step of decodedSteps(reference)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Fields)[step];
  }
  return at;
}

function decodedSteps(reference: string): string[] {
  const plain = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return reference.slice(2).split('/').map(decodeURIComponent).map(plain);
  } catch {
    return reference.slice(2).split('/').map(plain);
  }
}

/** The rule for each keyword; undefined leaves the keyword out. A keyword without a rule is passed on. */
const schemaRule: Rule = (value, context) => {
  if (value === null || value === true) return {};
  if (value === false) return false;
  if (!isFields(value)) throw new Unusable(context, 'expected a schema');
  const kept: Record<string, unknown> = {};
  for (const [keyword, given] of Object.entries(value)) {
    const rule = keywords.get(keyword);
    const path = context.path === '' ? keyword : `${context.path}.${keyword}`;
    if (given === null && rule !== undefined) continue;
    const read = rule === undefined ? given : rule(given, { ...context, path });
    if (read !== undefined) kept[keyword] = read;
  }
  return kept;
};

const mapRule: Rule = (value, context) => {
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isFields(value)) throw new Unusable(context, 'expected a mapping');
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      schemaRule(each, { ...context, path: `${context.path}.${name}` }),
    ]),
  );
};

const listRule: Rule = (value, context) => {
  if (!Array.isArray(value)) throw new Unusable(context, 'expected a list of schemas');
  if (value.length === 0) return undefined;
  return value.map((each, index) => schemaRule(each, { ...context, path: `${context.path}.${index}` }));
};

const typeRule: Rule = (value, context) => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = list.find((each) => typeof each !== 'string' || !types.has(each));
  if (wrong !== undefined) throw new Unusable(context, `there is no type ${JSON.stringify(wrong)}`);
  return list.length === 0 ? undefined : value;
};

/** In older drafts the value is a flag, which can be left out. */
const namesRule: Rule = (value, context) => {
  if (typeof value === 'boolean') return undefined;
  if (!Array.isArray(value)) throw new Unusable(context, 'expected a list of names');
  const names = value.filter((each) => typeof each === 'string');
  return names.length === 0 ? undefined : [...new Set(names)];
};

const numberRule: Rule = (value, context) => {
  if (typeof value === 'boolean') return undefined;
  if (typeof value !== 'number') throw new Unusable(context, 'expected a number');
  return value;
};

const textRule: Rule = (value, context) => {
  if (typeof value !== 'string') throw new Unusable(context, 'expected a text');
  return value;
};

const patternRule: Rule = (value, context) => {
  const pattern = textRule(value, context) as string;
  try {
    // oxlint-disable-next-line no-new -- throws for an invalid expression
    new RegExp(pattern, 'u');
  } catch {
    // An expression of another language is left out: the schema then only allows more texts.
    return undefined;
  }
  return pattern;
};

const valuesRule: Rule = (value, context) => {
  if (!Array.isArray(value)) throw new Unusable(context, 'expected a list of values');
  return value.length === 0 ? undefined : value;
};

const referenceRule: Rule = (value, context) => {
  const reference = textRule(value, context) as string;
  const found = target(context.root, reference);
  if (found === undefined) throw new Unusable(context, `${reference} leads nowhere`);
  return reference;
};

/** The value of `additionalProperties` and the like: a flag, or a schema. */
const openRule: Rule = (value, context) => (typeof value === 'boolean' ? value : schemaRule(value, context));

const flagRule: Rule = (value) => (typeof value === 'boolean' ? value : undefined);

const itemsRule: Rule = (value, context) =>
  Array.isArray(value) ? listRule(value, context) : schemaRule(value, context);

const keywords: ReadonlyMap<string, Rule> = new Map([
  ['type', typeRule],
  ['properties', mapRule],
  ['patternProperties', mapRule],
  ['$defs', mapRule],
  ['definitions', mapRule],
  ['dependentSchemas', mapRule],
  ['items', itemsRule],
  ['additionalItems', openRule],
  ['additionalProperties', openRule],
  ['unevaluatedItems', openRule],
  ['unevaluatedProperties', openRule],
  ['contains', schemaRule],
  ['propertyNames', schemaRule],
  ['not', schemaRule],
  ['if', schemaRule],
  ['then', schemaRule],
  ['else', schemaRule],
  ['allOf', listRule],
  ['anyOf', listRule],
  ['oneOf', listRule],
  ['prefixItems', listRule],
  ['required', namesRule],
  ['enum', valuesRule],
  ['$ref', referenceRule],
  ['$schema', textRule],
  ['$id', textRule],
  ['$comment', textRule],
  ['examples', valuesRule],
  ['deprecated', flagRule],
  ['readOnly', flagRule],
  ['writeOnly', flagRule],
  ['uniqueItems', flagRule],
  ['pattern', patternRule],
  ['format', textRule],
  ['title', textRule],
  ['description', textRule],
  ['minimum', numberRule],
  ['maximum', numberRule],
  ['exclusiveMinimum', numberRule],
  ['exclusiveMaximum', numberRule],
  ['multipleOf', numberRule],
  ['minLength', numberRule],
  ['maxLength', numberRule],
  ['minItems', numberRule],
  ['maxItems', numberRule],
  ['minProperties', numberRule],
  ['maxProperties', numberRule],
]);
