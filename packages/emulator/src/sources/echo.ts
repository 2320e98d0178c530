import type { Answer, Question, ReplyItem, Source } from './answer.js';
import type { Context } from '../memory/context.js';
import type { Dialect } from '../wire/dialect.js';
import type { CreateRequest } from '../request/request.js';
import { offeredTools } from '../request/tools.js';
import { echoInFormat, exampleOf } from './structured-output.js';
import { isRecord } from '../wire/wire.js';

/**
 * The last source: repeats the texts that the model has not answered yet (user messages or tool outputs). It calls a function or a custom tool
 * only if `tool_choice` demands a call, or in a dialect that calls without demand, so that an agent does not run its tools unexpectedly.
 */
export function echo(dialect: Pick<Dialect, 'callsUnasked'>): Source {
  return ({ request, context }: Question): Answer => {
    const call = demandedCall(request) ?? (dialect.callsUnasked ? unaskedCall(request, context) : undefined);
    const text = context.unansweredText || 'There is no text to repeat.';
    const replyItem: ReplyItem = call ?? { kind: 'message', text: echoInFormat(text, request) };
    return { kind: 'reply', reply: { output: [replyItem], end: { kind: 'completed' } } };
  };
}

/** The call that `tool_choice` demands, of the first of several tools; undefined for a hosted tool, whose result only a script can provide. */
function demandedCall(request: CreateRequest): ReplyItem | undefined {
  const { tool_choice: choice } = request;
  const tools = offeredTools(request, request.items);
  if (choice === 'required') return firstCall(tools);
  if (!isRecord(choice)) return undefined;
  if (choice['type'] !== 'allowed_tools') return firstCall(tools.filter(isNamedBy(choice)));
  return choice['mode'] === 'required' ? firstCall(allowedTools(tools, choice)) : undefined;
}

/** The call of the first tool, after a message of the user. After the output of a tool there is none, so that the tool is called once. */
function unaskedCall(request: CreateRequest, context: Context): ReplyItem | undefined {
  const { tool_choice: choice } = request;
  const tools = offeredTools(request, request.items);
  if (choice === 'none' || context.last?.['role'] !== 'user') return undefined;
  return firstCall(isRecord(choice) ? allowedTools(tools, choice) : tools);
}

type Tool = Readonly<Record<string, unknown>>;

function allowedTools(tools: readonly Tool[], choice: Tool): readonly Tool[] {
  const named: readonly unknown[] = Array.isArray(choice['tools']) ? choice['tools'] : [];
  return tools.filter((tool) => named.some((each) => isRecord(each) && isNamedBy(each)(tool)));
}

function isNamedBy(choice: Tool): (tool: Tool) => boolean {
  return ({ type, name }) => type === choice['type'] && name === choice['name'];
}

function firstCall(tools: readonly Tool[]): ReplyItem | undefined {
  const tool = tools.find(({ type }) => type === 'function' || type === 'custom');
  if (tool === undefined) return undefined;
  const name = String(tool['name']);
  if (tool['type'] === 'custom') return { kind: 'custom_tool_call', name, input: 'example' };
  const { parameters } = tool;
  const values = isRecord(parameters) ? exampleOf(parameters) : {};
  return { kind: 'function_call', name, arguments: JSON.stringify(values) };
}
