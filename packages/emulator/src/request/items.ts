import { z } from 'zod';
import type { Incremental } from '../base/incremental.js';
import { Refusal } from '../wire/refusal.js';
import { isItem, isRecord, type Item } from '../wire/wire.js';
import { refusalOfIssue, paramOf, unsupportedValue } from './schema-refusal.js';
import { optional, stringOrList } from './fields.js';

const id = z.string().min(1);
const callId = z.string().min(1).max(64);
const anyObject = z.looseObject({});
const itemStatus = optional(z.enum(['in_progress', 'completed', 'incomplete']));

/** The types of items whose fields are checked. Items of any other type pass, because providers add types of their own. */
const itemSchemas: Readonly<Record<string, z.ZodType>> = {
  message: z.looseObject({
    role: z.enum(['user', 'assistant', 'system', 'developer']),
    content: stringOrList,
    phase: optional(z.enum(['commentary', 'final_answer'])),
    status: itemStatus,
  }),
  reasoning: z.looseObject({
    summary: z.array(z.looseObject({ type: z.literal('summary_text'), text: z.string() })),
    content: optional(z.array(z.looseObject({ type: z.string(), text: z.string() }))),
    encrypted_content: optional(z.string()),
  }),
  function_call: z.looseObject({ call_id: callId, name: id, arguments: z.string(), status: itemStatus }),
  function_call_output: z.looseObject({ call_id: callId, output: stringOrList, status: itemStatus }),
  custom_tool_call: z.looseObject({ call_id: callId, name: id, input: z.string() }),
  custom_tool_call_output: z.looseObject({ call_id: callId, output: stringOrList }),
  shell_call: z.looseObject({ call_id: callId, action: z.looseObject({ commands: z.array(z.string()) }) }),
  shell_call_output: z.looseObject({ call_id: callId, output: z.array(anyObject) }),
  apply_patch_call: z.looseObject({ call_id: callId, operation: z.looseObject({ type: z.string() }) }),
  apply_patch_call_output: z.looseObject({
    call_id: callId,
    status: z.enum(['completed', 'failed']),
    output: optional(z.string()),
  }),
  computer_call: z.looseObject({ call_id: callId }),
  computer_call_output: z.looseObject({
    call_id: callId,
    output: z.looseObject({ type: z.literal('computer_screenshot') }),
  }),
  mcp_approval_request: z.looseObject({ id, name: id, server_label: id, arguments: z.string() }),
  mcp_approval_response: z.looseObject({ approval_request_id: id, approve: z.boolean() }),
  compaction: z.looseObject({ encrypted_content: z.string() }),
  additional_tools: z.looseObject({ role: z.literal('developer'), tools: z.array(z.looseObject({ type: id })) }),
  item_reference: z.looseObject({ id }),
};

const typedItem = z.looseObject({ type: z.string().min(1) });

/** The number of items that are checked in one step. */
const checkedPerStep = 500;

/** The checked items of an input. A text becomes one user message. `param` is the name of the input in the request. */
export function* itemsOf(input: string | readonly unknown[], param = 'input'): Incremental<readonly Item[]> {
  if (typeof input === 'string') {
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  }
  const items: Item[] = [];
  for (const [index, item] of input.entries()) {
    items.push(checkItem(item, [param, index]));
    if (items.length % checkedPerStep === 0) yield;
  }
  const trigger = items.findIndex(isCompactionTrigger);
  if (trigger !== -1 && trigger < items.length - 1) {
    const message = "A 'compaction_trigger' must be the last item of the input.";
    throw new Refusal(message, { code: 'invalid_value', param: paramOf([param, trigger]) });
  }
  return items;
}

/** True for the item that asks for a compaction of the context before it, instead of an answer (P126). */
export function isCompactionTrigger(item: Item): boolean {
  return item.type === 'compaction_trigger';
}

function checkItem(item: unknown, path: readonly PropertyKey[]): Item {
  const type = isItem(item) ? typeOf(item) : undefined;
  const schema = (type !== undefined && Object.hasOwn(itemSchemas, type) && itemSchemas[type]) || typedItem;
  const checked = schema.safeParse(isRecord(item) && type !== undefined ? { ...item, type } : item);
  if (!checked.success || !isItem(item)) throw refusalOfIssue(checked.error?.issues[0], path, item);
  if (type === 'message' && Array.isArray(item['content'])) {
    const parts = item['role'] === 'assistant' ? outputParts : inputParts;
    checkParts(item['content'], parts, [...path, 'content']);
  }
  if (type?.endsWith('_tool_call_output') === true || type === 'function_call_output') {
    if (Array.isArray(item['output'])) checkParts(item['output'], inputParts, [...path, 'output']);
  }
  return item;
}

/** The type of an item. An item with a role and without a type is a message. */
function typeOf(item: Item): string | undefined {
  return item.type ?? (item['role'] === undefined ? undefined : 'message');
}

type Parts = Readonly<Record<string, z.ZodType>>;

const imageUrl = z
  .string()
  .refine(
    (url) => /^(https?:\/\/\S|data:image\/[\w.+-]+;base64,)/.test(url),
    'expected an http(s) URL or a data URL of an image',
  );

/** The content parts of users, developers and tools. */
const inputParts: Parts = {
  input_text: z.looseObject({ text: z.string() }),
  input_image: z
    .looseObject({
      image_url: optional(imageUrl),
      file_id: optional(id),
      detail: optional(z.enum(['low', 'high', 'auto', 'original'])),
    })
    .check(({ value, issues }) => {
      if ((value.image_url === undefined) !== (value.file_id === undefined)) return;
      issues.push({ code: 'custom', message: "give either 'image_url' or 'file_id'", input: value });
    }),
  input_file: z
    .looseObject({
      file_id: optional(id),
      file_data: optional(id),
      file_url: optional(id),
      filename: optional(z.string()),
    })
    .check(({ value, issues }) => {
      if ([value.file_id, value.file_data, value.file_url].filter((each) => each !== undefined).length === 1) return;
      issues.push({ code: 'custom', message: "give one of 'file_id', 'file_data' and 'file_url'", input: value });
    }),
};

/** The content parts of assistants. */
const outputParts: Parts = {
  output_text: z.looseObject({ text: z.string() }),
  refusal: z.looseObject({ refusal: z.string() }),
};

function checkParts(content: readonly unknown[], parts: Parts, path: readonly PropertyKey[]): void {
  for (const [index, part] of content.entries()) {
    const at = [...path, index];
    const typed = typedItem.safeParse(part);
    if (!typed.success) throw refusalOfIssue(typed.error.issues[0], at, part);
    const schema = Object.hasOwn(parts, typed.data.type) ? parts[typed.data.type] : undefined;
    if (schema === undefined) {
      const param = paramOf([...at, 'type']);
      throw new Refusal(unsupportedValue(typed.data.type, Object.keys(parts)), { code: 'invalid_value', param });
    }
    const checked = schema.safeParse(part);
    if (!checked.success) throw refusalOfIssue(checked.error.issues[0], at, part);
  }
}
