import { z } from 'zod';
import { Refusal } from '../wire/refusal.js';
import { isRecord, type Item } from '../wire/wire.js';
import { refusalOfIssue, unsupportedValue } from './schema-refusal.js';
import { optional, type CreateFields } from './fields.js';

const name = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "expected letters, digits, '_' and '-', 128 at most");
const anyObject = z.looseObject({});

/** The types of tools whose fields are checked. Tools of any other type pass, because providers add types of their own. */
const toolSchemas: Readonly<Record<string, z.ZodType>> = {
  function: z.looseObject({
    name,
    description: optional(z.string()),
    parameters: optional(anyObject),
    strict: optional(z.boolean()),
  }),
  custom: z.looseObject({ name, description: optional(z.string()), format: optional(anyObject) }),
  mcp: z.looseObject({ server_label: z.string().min(1) }),
  file_search: z.looseObject({ vector_store_ids: z.array(z.string()).min(1) }),
  namespace: z.looseObject({ name, description: z.string(), tools: z.array(anyObject) }),
};

type Tool = Readonly<Record<string, unknown>>;

/** The tools that the model may call: those of the request, then those of its `additional_tools` items (P128). */
export function offeredTools({ tools = [] }: Pick<CreateFields, 'tools'>, items: readonly Item[]): readonly Tool[] {
  const added = items.filter(({ type }) => type === 'additional_tools').map((item) => item['tools']);
  return [...tools, ...added.filter(Array.isArray).flat().filter(isRecord)];
}

export function checkTools(request: CreateFields, items: readonly Item[]): void {
  checkEach(request.tools ?? [], ['tools']);
  for (const [index, { type, tools }] of items.entries()) {
    if (type === 'additional_tools' && Array.isArray(tools)) checkEach(tools, ['input', index, 'tools']);
  }
  const { tool_choice: choice } = request;
  if (choice === undefined) return;
  const offered = offeredTools(request, items);
  if (typeof choice === 'string') return checkMode(choice, offered.length > 0);
  checkForcedTool(choice, offered);
}

function checkEach(tools: readonly unknown[], path: readonly PropertyKey[]): void {
  for (const [index, tool] of tools.entries()) {
    const type = isRecord(tool) ? String(tool['type']) : '';
    const checked = Object.hasOwn(toolSchemas, type) ? toolSchemas[type]?.safeParse(tool) : undefined;
    if (checked?.success === false) throw refusalOfIssue(checked.error.issues[0], [...path, index], tool);
  }
}

const modes = ['none', 'auto', 'required'];

function checkMode(choice: string, hasTools: boolean): void {
  const param = 'tool_choice';
  if (!modes.includes(choice)) throw new Refusal(unsupportedValue(choice, modes), { code: 'invalid_value', param });
  if (choice !== 'required' || hasTools) return;
  throw new Refusal("Tool choice 'required' must be specified with 'tools' parameter.", { param });
}

const choices: Readonly<Record<string, z.ZodType>> = {
  function: z.looseObject({ name: z.string().min(1) }),
  custom: z.looseObject({ name: z.string().min(1) }),
  mcp: z.looseObject({ server_label: z.string().min(1) }),
  allowed_tools: z.looseObject({
    mode: z.enum(['auto', 'required']).optional(),
    tools: z.array(z.looseObject({ type: z.string() })).min(1),
  }),
};

const typedChoice = z.looseObject({ type: z.string().min(1) });

function checkForcedTool(choice: Record<string, unknown>, tools: readonly Tool[]): void {
  const checked = typedChoice.safeParse(choice);
  if (!checked.success) throw refusalOfIssue(checked.error.issues[0], ['tool_choice'], choice);
  const { type } = checked.data;
  const fields = Object.hasOwn(choices, type) ? choices[type]?.safeParse(choice) : undefined;
  if (fields?.success === false) throw refusalOfIssue(fields.error.issues[0], ['tool_choice'], choice);
  const named =
    type === 'allowed_tools' && Array.isArray(choice['tools']) ? choice['tools'].filter(isRecord) : [choice];
  for (const wanted of named) {
    if (isOffered(wanted, tools)) continue;
    const what = String(wanted['name'] ?? wanted['server_label'] ?? wanted['type']);
    throw new Refusal(`Tool choice '${what}' not found in 'tools' parameter.`, { param: 'tool_choice' });
  }
}

/** True if a chosen tool is among the offered ones. Hosted tools are not checked, because one tool may have several types. */
function isOffered(wanted: Tool, tools: readonly Tool[]): boolean {
  const { type } = wanted;
  const key = type === 'mcp' ? 'server_label' : 'name';
  if (type !== 'function' && type !== 'custom' && type !== 'mcp') return true;
  return tools.some((tool) => tool['type'] === type && tool[key] === wanted[key]) || tools.some(isDeferred);
}

/** True for a tool that brings further tools, whose names are not in the request. */
function isDeferred({ type }: Tool): boolean {
  return type === 'namespace' || type === 'tool_search';
}
