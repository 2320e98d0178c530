import { z } from 'zod';
import { isRecord } from '../wire/wire.js';

/** The schema of a field that may be left out. The API treats `null` as a missing field. */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

/** The schema of a field of one of two types. `expected` names both types, as the API's message does. */
function either<T>(holds: (value: unknown) => boolean, expected: string) {
  return z.custom<T>(holds, { message: expected, params: { kind: 'type' } });
}

const anyObject = z.looseObject({});
export const stringOrObject = either<string | Record<string, unknown>>(
  (value) => typeof value === 'string' || isRecord(value),
  'a string or an object',
);
export const stringOrList = either<string | readonly unknown[]>(
  (value) => typeof value === 'string' || Array.isArray(value),
  'a string or an array',
);

const maxMetadataPairs = 16;

/** The metadata of a request: up to 16 pairs, with keys of up to 64 characters and values of up to 512. */
export const metadata = z.record(z.string(), z.string().max(512)).check(({ value, issues }) => {
  const keys = Object.keys(value);
  const tooLong = keys.find((key) => key.length > 64);
  const message =
    keys.length > maxMetadataPairs
      ? `too many properties. Expected an object with at most ${maxMetadataPairs} properties, but got ${keys.length}`
      : tooLong === undefined
        ? undefined
        : `the key '${tooLong.slice(0, 20)}…' is longer than 64 characters`;
  if (message !== undefined) issues.push({ code: 'custom', message, input: value });
});

const includable = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
] as const;

/** The fields that a create over HTTP and a create on a socket have in common (P35), with types and ranges. Unknown fields pass. */
export const createFields = z.looseObject({
  model: z.string().min(1),
  input: optional(stringOrList),
  instructions: optional(z.string()),
  previous_response_id: optional(z.string().min(1)),
  conversation: optional(stringOrObject),
  prompt: optional(
    z.looseObject({ id: z.string().min(1), variables: optional(anyObject), version: optional(z.string()) }),
  ),
  store: optional(z.boolean()),
  stream: optional(z.boolean()),
  stream_options: optional(z.looseObject({ include_obfuscation: optional(z.boolean()) })),
  background: optional(z.boolean()),
  generate: optional(z.boolean()),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  top_logprobs: optional(z.int().min(0).max(20)),
  max_output_tokens: optional(z.int().min(16)),
  max_tool_calls: optional(z.int().min(1)),
  parallel_tool_calls: optional(z.boolean()),
  tools: optional(z.array(z.looseObject({ type: z.string().min(1) }))),
  tool_choice: optional(stringOrObject),
  text: optional(
    z.looseObject({ format: optional(anyObject), verbosity: optional(z.enum(['low', 'medium', 'high'])) }),
  ),
  reasoning: optional(
    z.looseObject({
      effort: optional(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])),
      summary: optional(z.enum(['auto', 'concise', 'detailed'])),
    }),
  ),
  include: optional(z.array(z.enum(includable))),
  truncation: optional(z.enum(['auto', 'disabled'])),
  context_management: optional(
    z.array(z.looseObject({ type: z.literal('compaction'), compact_threshold: optional(z.int().min(1)) })),
  ),
  metadata: optional(metadata),
  moderation: optional(z.looseObject({ model: z.string().min(1) })),
  access_programs: optional(anyObject),
  image: optional(anyObject),
  service_tier: optional(z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'])),
  safety_identifier: optional(z.string().max(64)),
  prompt_cache_key: optional(z.string().max(64)),
  prompt_cache_retention: optional(z.enum(['in_memory', '24h'])),
  prompt_cache_options: optional(
    z.looseObject({
      comparison_response_id: optional(z.string()),
      mode: optional(z.enum(['implicit', 'explicit'])),
      prewarm: optional(z.boolean()),
      ttl: optional(z.enum(['30m', '12h'])),
    }),
  ),
  user: optional(z.string()),
});

export type CreateFields = z.output<typeof createFields>;
