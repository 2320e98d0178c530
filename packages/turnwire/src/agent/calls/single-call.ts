import { History } from '../conversation/history.js';
import type { AgentEvent } from '../events.js';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';
import { type CallOptions, runCalls } from './calls.js';
import { Repetition } from './repetition.js';

/** The options of a call that the model has not made. Such a call has a history of its own. */
export type SingleCallOptions = Omit<CallOptions, 'history' | 'repetition' | 'sent'>;

export interface SingleCall {
  id: string;
  name: string;
  args: unknown;
}

/** Makes one call. Gives the text that the model would get, and whether the tool has run. */
export async function* singleCall(
  { id, name, args }: SingleCall,
  options: SingleCallOptions,
): AsyncGenerator<AgentEvent, { output: string; done: boolean }> {
  const history = new History();
  const call = { id, name, arguments: JSON.stringify(args), answer: 'function_call_output' } as const;
  let done = false;
  for await (const event of runCalls([call], { ...options, history, repetition: new Repetition(Infinity) })) {
    if (event.type === 'tool_call_response') done = event.outcome === 'done';
    yield event;
  }
  const [item] = history.items;
  return { output: item !== undefined && 'output' in item ? outputText(item.output as ToolOutput) : '', done };
}
