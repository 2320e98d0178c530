import type { Said } from '../../sources/answer.js';
import { written, type Draft, type Drafting, type ItemStatus } from '../../wire/draft.js';

type FunctionCall = Extract<Said, { readonly kind: 'function_call' }>;
type CustomToolCall = Extract<Said, { readonly kind: 'custom_tool_call' }>;

export function functionCall(call: FunctionCall, { ids }: Drafting, status: ItemStatus): Draft {
  const item = { id: ids.next('fc'), type: 'function_call', call_id: ids.next('call'), name: call.name };
  return {
    added: { ...item, status: 'in_progress', arguments: '' },
    done: { ...item, status, arguments: call.arguments },
    between: (at) => written('response.function_call_arguments', 'arguments', call.arguments, at),
  };
}

/** The call of a tool that takes free text. */
export function customToolCall({ name, input }: CustomToolCall, { ids }: Drafting, status: ItemStatus): Draft {
  const item = { id: ids.next('ctc'), type: 'custom_tool_call', call_id: ids.next('call'), name };
  return {
    added: { ...item, status: 'in_progress', input: '' },
    done: { ...item, status, input },
    between: (at) => written('response.custom_tool_call_input', 'input', input, at),
  };
}
