import { z } from 'zod';
import { Refusal } from './refusal.js';
import { isItem, isRecord, type Item } from './wire.js';

/** What carries a request: some fields exist on one of the two only (P30). */
export type Door = 'http' | 'websocket';

/** The API takes `null` for a field that is left out. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);
const anyObject = z.looseObject({});
const stringOrObject = z.custom<string | Record<string, unknown>>(
  (value) => typeof value === 'string' || isRecord(value),
  'expected a string or an object',
);
const stringOrList = z.custom<string | readonly unknown[]>(
  (value) => typeof value === 'string' || Array.isArray(value),
  'expected a string or an array',
);

const createBody = z.looseObject({
  model: z.string().min(1),
  input: optional(stringOrList),
  instructions: optional(z.string()),
  previous_response_id: optional(z.string()),
  conversation: optional(stringOrObject),
  prompt: optional(anyObject),
  store: optional(z.boolean()),
  stream: optional(z.boolean()),
  stream_options: optional(anyObject),
  background: optional(z.boolean()),
  generate: optional(z.boolean()),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  presence_penalty: optional(z.number()),
  frequency_penalty: optional(z.number()),
  top_logprobs: optional(z.int().min(0).max(20)),
  max_output_tokens: optional(z.int().positive()),
  max_tool_calls: optional(z.int().positive()),
  parallel_tool_calls: optional(z.boolean()),
  tools: optional(z.array(z.looseObject({ type: z.string() }))),
  tool_choice: optional(stringOrObject),
  text: optional(anyObject),
  reasoning: optional(anyObject),
  include: optional(z.array(z.string())),
  truncation: optional(z.enum(['auto', 'disabled'])),
  metadata: optional(z.record(z.string(), z.string())),
  service_tier: optional(z.string()),
  safety_identifier: optional(z.string()),
  prompt_cache_key: optional(z.string()),
});

/** Item types whose fields the emulator reads. Any other type passes: which ones exist is the provider's business. */
const ITEMS: Readonly<Record<string, z.ZodType>> = {
  message: z.looseObject({ role: z.enum(['user', 'assistant', 'system', 'developer']), content: stringOrList }),
  function_call: z.looseObject({ call_id: z.string().min(1), name: z.string().min(1), arguments: z.string() }),
  function_call_output: z.looseObject({ call_id: z.string().min(1), output: stringOrList }),
  custom_tool_call: z.looseObject({ call_id: z.string().min(1), name: z.string().min(1), input: z.string() }),
  custom_tool_call_output: z.looseObject({ call_id: z.string().min(1), output: stringOrList }),
  item_reference: z.looseObject({ id: z.string().min(1) }),
};

/** A checked request. `items` is its input as a list; every other field is as it was received, `null` as if it were left out. */
export type CreateRequest = Readonly<z.infer<typeof createBody>> & { readonly items: readonly Item[] };

/** Checks the body of a create as the API does and refuses the first thing wrong in it, with the `param` it stands in. */
export function parseCreate(body: unknown, door: Door): CreateRequest {
  if (!isRecord(body)) throw new Refusal('The request body must be a JSON object.', { code: 'invalid_type' });
  refuseForeignFields(body, door);
  const parsed = createBody.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error.issues[0], [], body);
  const request = parsed.data;
  const { previous_response_id, conversation } = request;
  if (previous_response_id !== undefined && conversation !== undefined) {
    throw new Refusal(
      "Mutually exclusive parameters: 'previous_response_id' and 'conversation' cannot be used together.",
      { code: 'mutually_exclusive_parameters', param: 'previous_response_id' },
    );
  }
  if (conversation !== undefined) {
    throw unsupported('conversation', 'chain with previous_response_id, or send the full input');
  }
  if (request.input === undefined && previous_response_id === undefined && request.prompt === undefined) {
    throw new Refusal("Missing required parameter: 'input'.", { code: 'missing_required_parameter', param: 'input' });
  }
  return { ...request, items: itemsOf(request.input ?? []) };
}

function refuseForeignFields(body: Record<string, unknown>, door: Door): void {
  if (body['background'] === true) {
    throw unsupported('background', 'leave it out, and read the response while it is made');
  }
  if (door === 'http') {
    for (const param of ['type', 'generate', 'stream_id']) {
      if (!isGiven(body[param])) continue;
      throw new Refusal(`Unknown parameter: '${param}'.`, { code: 'unknown_parameter', param });
    }
  } else if (isGiven(body['stream_id'])) {
    throw unsupported('stream_id', 'leave it out: turns of one connection run one after another');
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function unsupported(param: string, advice: string): Refusal {
  return new Refusal(`Unsupported parameter: '${param}'; ${advice}.`, { code: 'unsupported_parameter', param });
}

function itemsOf(input: string | readonly unknown[]): readonly Item[] {
  if (typeof input === 'string') {
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  }
  return input.map((item, index) => {
    const type = isItem(item) ? typeOf(item) : undefined;
    const schema = (type !== undefined && Object.hasOwn(ITEMS, type) && ITEMS[type]) || typedItem;
    const checked = schema.safeParse(isRecord(item) && type !== undefined ? { ...item, type } : item);
    if (checked.success && isItem(item)) return item;
    throw refusalOf(checked.error?.issues[0], ['input', index], item);
  });
}

/** A message may go without its type: its role shows what it is. */
function typeOf(item: Item): string | undefined {
  return item.type ?? (item['role'] === undefined ? undefined : 'message');
}

const typedItem = z.looseObject({ type: z.string().min(1) });

/** Says the first issue in the API's words. `root` is the value the issue's path starts from. */
function refusalOf(issue: z.core.$ZodIssue | undefined, prefix: readonly PropertyKey[], root: unknown): Refusal {
  const path = issue?.path ?? [];
  const param = dotted([...prefix, ...path]);
  const value = path.reduce<unknown>((at, key) => (isIndexable(at) ? at[key] : undefined), root);
  if (value === undefined) {
    return new Refusal(`Missing required parameter: '${param}'.`, { code: 'missing_required_parameter', param });
  }
  if (issue?.code === 'invalid_type') {
    const message = `Invalid type for '${param}': expected ${article(issue.expected)}, but got ${article(kindOf(value))} instead.`;
    return new Refusal(message, { code: 'invalid_type', param });
  }
  if (issue?.code === 'custom') {
    const message = `Invalid type for '${param}': ${issue.message}, but got ${article(kindOf(value))} instead.`;
    return new Refusal(message, { code: 'invalid_type', param });
  }
  if (issue?.code === 'invalid_value') {
    const known = issue.values.map((each) => `'${String(each)}'`).join(', ');
    const message = `Invalid value for '${param}': supported values are ${known}.`;
    return new Refusal(message, { code: 'invalid_value', param });
  }
  return new Refusal(`Invalid value for '${param}': ${issue?.message ?? 'not valid'}.`, {
    code: 'invalid_value',
    param,
  });
}

function isIndexable(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function article(noun: string): string {
  if (noun === 'null') return noun;
  if (noun === 'int') return 'an integer';
  if (noun === 'record') return 'an object';
  return `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
}
