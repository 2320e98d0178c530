import type { InputItem } from '@turnwire/client';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';

/** The most characters of one call or result. */
const longest = 2000;

/** A history as people and models read it: messages with their authors, calls, and their results. */
export function transcriptOf(items: readonly InputItem[]): string[] {
  return items.flatMap((item) => {
    if ('role' in item) return said(String(item.role), textOf(item.content));
    if (item.type === 'function_call') return [cut(`call of ${item.name}: ${item.arguments}`)];
    if (item.type === 'custom_tool_call') return [cut(`call of ${item.name}: ${item.input}`)];
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
      return [cut(`result: ${outputText(item.output as ToolOutput)}`)];
    return [];
  });
}

function said(role: string, text: string): string[] {
  return text === '' ? [] : [`${role}: ${text}`];
}

/** The texts of a message; empty where it has none. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '').join('') : '';
}

function cut(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)} […]`;
}
