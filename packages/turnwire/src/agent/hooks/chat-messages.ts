import type { InputItem } from '@turnwire/client';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';

/** A message in the format of Chat Completions, in which docker-agent passes messages to hooks. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** The input of a turn as such messages. Encrypted reasoning and items of a provider's own tools are left out. */
export function chatMessages(instructions: string, items: readonly InputItem[]): ChatMessage[] {
  const messages: ChatMessage[] = instructions === '' ? [] : [{ role: 'system', content: instructions }];
  for (const item of items) {
    if ('role' in item) {
      const role = item.role === 'user' || item.role === 'assistant' ? item.role : 'system';
      messages.push({ role, content: textOf(item.content) });
    } else if (item.type === 'function_call' || item.type === 'custom_tool_call') {
      const written = item.type === 'function_call' ? item.arguments : item.input;
      const call = { id: item.call_id, type: 'function' as const, function: { name: item.name, arguments: written } };
      const last = messages.at(-1);
      if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
      else messages.push({ role: 'assistant', content: '', tool_calls: [call] });
    } else if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      messages.push({ role: 'tool', content: outputText(item.output as ToolOutput), tool_call_id: item.call_id });
    }
  }
  return messages;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { type?: string; text?: string }) => part.text ?? `[${part.type ?? 'something'}]`)
    .join('\n');
}
