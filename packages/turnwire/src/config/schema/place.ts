import type { z } from 'zod';

/** The schema of one place in a file, which knows the keys and the words that may stand there. */

type Schema = z.core.$ZodTypes;

/** The schema of the place that `path` leads to in `value`; undefined where the schema says nothing about that place. */
export function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): Schema | undefined {
  let here: Schema | undefined = choose(schema, value);
  let inner = value;
  for (const key of path) {
    inner = typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined;
    const next: z.core.$ZodType | undefined = here === undefined ? undefined : below(here, key);
    here = next === undefined ? undefined : choose(next, inner);
  }
  return here;
}

/** The keys that a mapping may have at this place. */
export function keysOf(schema: Schema | undefined): string[] {
  return schema?._zod.def.type === 'object' ? Object.keys(schema._zod.def.shape) : [];
}

/** The words that may stand at this place; none where any text may. */
export function wordsOf(schema: Schema | undefined): string[] {
  const def = schema?._zod.def;
  if (def?.type === 'enum') return Object.values(def.entries).map(String);
  if (def?.type === 'literal') return def.values.map(String);
  if (def?.type === 'pipe') return wordsOf(def.out as Schema);
  if (def?.type === 'union') return def.options.flatMap((option) => wordsOf(option as Schema));
  return [];
}

function below(schema: Schema, key: PropertyKey): z.core.$ZodType | undefined {
  const { def } = schema._zod;
  if (def.type === 'object') return Object.hasOwn(def.shape, key) ? def.shape[String(key)] : undefined;
  if (def.type === 'record') return def.valueType;
  return def.type === 'array' ? def.element : undefined;
}

/** The schema without defaults and the like; of a union, the branch that the value was meant for. */
function choose(schema: z.core.$ZodType, value: unknown): Schema {
  const { def } = (schema as Schema)._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return choose(def.innerType, value);
    case 'pipe':
      // A transformed value is described by its input, except for words, which are compared after the transformation.
      return def.in._zod.def.type === 'pipe' || isWords(def.out) ? (schema as Schema) : choose(def.in, value);
    case 'union': {
      const options = def.options.map((option) => choose(option, value));
      return options.find((option) => takes(option, value)) ?? (schema as Schema);
    }
    default:
      return schema as Schema;
  }
}

function isWords(schema: z.core.$ZodType): boolean {
  return schema._zod.def.type === 'enum';
}

function takes({ _zod: { def } }: Schema, value: unknown): boolean {
  if (Array.isArray(value)) return def.type === 'array';
  if (typeof value !== 'object' || value === null) return false;
  if (def.type === 'record') return true;
  if (def.type !== 'object') return false;
  const type = def.shape['type'];
  return type?._zod.def.type !== 'literal' || wordsOf(type as Schema).includes(String(Reflect.get(value, 'type')));
}
