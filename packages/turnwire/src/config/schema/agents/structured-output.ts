import { z } from 'zod';
import { flag, text } from '../values.js';

const schemaName = 'a name of at most 64 letters, digits, - and _';
const object = 'a JSON Schema with "type: object" and "properties"';

/** `structured_output` of an agent: the JSON Schema of its answers. */
export const structuredOutputSchema = z.strictObject(
  {
    name: z
      .string(schemaName)
      .regex(/^[A-Za-z0-9_-]{1,64}$/, schemaName)
      .describe('The name of the schema, in letters, digits, - and _.'),
    description: text.optional().describe('Tells the model what the answer is for.'),
    schema: z
      .looseObject(
        {
          type: z.literal('object', 'object: an answer is a JSON object'),
          properties: z.record(z.string(), z.unknown(), 'a mapping from names to schemas'),
          required: z.array(text, 'a list of names').optional(),
        },
        object,
      )
      .describe('The JSON Schema of an answer, an object.'),
    strict: flag
      .default(false)
      .describe('The provider holds the model to the schema; every property must then be required. Default: false.'),
  },
  'a mapping with "name" and "schema"',
);

export type StructuredOutput = z.output<typeof structuredOutputSchema>;
