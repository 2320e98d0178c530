import { z } from 'zod';
import { Refusal } from '../wire/refusal.js';
import { isRecord } from '../wire/wire.js';
import { refusalOfIssue, unsupportedValue } from './schema-refusal.js';
import { optional, type CreateFields } from './fields.js';

/** The format of an output text: any text, any JSON object, or JSON that fits a schema. */
export type TextFormat =
  | { readonly type: 'text' | 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: Record<string, unknown> };

const formats = ['text', 'json_object', 'json_schema'] as const;

const typedFormat = z.looseObject({ type: z.string() });

const jsonSchema = z.looseObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "expected letters, digits, '_' and '-', 64 at most"),
  schema: z.record(z.string(), z.unknown()),
  strict: optional(z.boolean()),
});

/** The format in `text.format`. @throws Refusal for a format that the API would refuse */
export function textFormatOf({ text }: Pick<CreateFields, 'text'>): TextFormat {
  const format = text?.format;
  if (format === undefined) return { type: 'text' };
  const path = ['text', 'format'];
  const typed = typedFormat.safeParse(format);
  if (!typed.success) throw refusalOfIssue(typed.error.issues[0], path, format);
  const type = formats.find((each) => each === typed.data.type);
  if (type === undefined) {
    const message = unsupportedValue(typed.data.type, formats);
    throw new Refusal(message, { code: 'invalid_value', param: 'text.format.type' });
  }
  if (type === 'text' || type === 'json_object') return { type };
  const checked = jsonSchema.safeParse(format);
  if (!checked.success) throw refusalOfIssue(checked.error.issues[0], path, format);
  const { schema, name, strict } = checked.data;
  if (strict === true) refuseLooseSchema(schema, name);
  return { type, schema };
}

/** Refuses a strict schema with an object that allows further properties or does not require all of its own. */
function refuseLooseSchema(schema: unknown, name: string, path: readonly string[] = []): void {
  if (!isRecord(schema)) return;
  const at = `In context=(${path.map((each) => `'${each}'`).join(', ')})`;
  const refused = (why: string) =>
    new Refusal(`Invalid schema for response_format '${name}': ${at}, ${why}.`, {
      code: 'invalid_json_schema',
      param: 'text.format.schema',
    });
  if (schema['type'] === 'object') {
    if (schema['additionalProperties'] !== false) {
      throw refused("'additionalProperties' is required to be supplied and to be false");
    }
    const properties = isRecord(schema['properties']) ? schema['properties'] : {};
    const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
    const missing = Object.keys(properties).find((key) => !required.includes(key));
    if (missing !== undefined) throw refused(`'required' has to include every key in properties; missing '${missing}'`);
    for (const [key, each] of Object.entries(properties)) refuseLooseSchema(each, name, [...path, 'properties', key]);
  }
  refuseLooseSchema(schema['items'], name, [...path, 'items']);
}
