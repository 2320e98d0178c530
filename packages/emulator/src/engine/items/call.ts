import type { ReplyItem } from '../../sources/answer.js';
import { textEvents, type OutputItem, type ItemOptions, type ItemStatus } from '../../wire/output-item.js';

type FunctionCall = Extract<ReplyItem, { readonly kind: 'function_call' }>;
type CustomToolCall = Extract<ReplyItem, { readonly kind: 'custom_tool_call' }>;

export function functionCall(call: FunctionCall, { ids }: ItemOptions, status: ItemStatus): OutputItem {
  const item = { id: ids.next('fc'), type: 'function_call', call_id: ids.next('call'), name: call.name };
  return {
    added: { ...item, status: 'in_progress', arguments: '' },
    done: { ...item, status, arguments: call.arguments },
    progress: (at) => textEvents('response.function_call_arguments', 'arguments', call.arguments, at),
  };
}

/** The call of a custom tool, whose input is free text. */
export function customToolCall({ name, input }: CustomToolCall, { ids }: ItemOptions, status: ItemStatus): OutputItem {
  const item = { id: ids.next('ctc'), type: 'custom_tool_call', call_id: ids.next('call'), name };
  return {
    added: { ...item, status: 'in_progress', input: '' },
    done: { ...item, status, input },
    progress: (at) => textEvents('response.custom_tool_call_input', 'input', input, at),
  };
}
