import { isRecord, type Item } from './wire.js';

/** Items in the order in which a model reads them. */
export type Transcript = readonly Item[];

/** The types of the model's items that do not end in `_call`. */
const modelItems = new Set(['reasoning', 'mcp_approval_request', 'mcp_list_tools', 'program', 'program_output']);

/**
 * True for an item of the model, false for an item of the caller. The type decides; the output of a shell belongs to the model if its call
 * was hosted. An unknown type (`additional_tools`, `configuration_update`, a type of a later SDK) counts as the caller's.
 */
export function isFromModel(item: Item, isHostedCall: (callId: unknown) => boolean): boolean {
  const type = item.type ?? 'message';
  if (type === 'message') return item['role'] === 'assistant';
  if (type === 'tool_search_output') return item['execution'] !== 'client';
  if (type === 'shell_call_output') return isHostedCall(item['call_id']);
  return type.endsWith('_call') || modelItems.has(type);
}

export function isUserMessage(item: Item): boolean {
  return (item.type ?? 'message') === 'message' && item['role'] === 'user';
}

/** The text of a message or of a tool output, without the parts that are not text. */
export function textOf(item: Item): string {
  const content = item['content'] ?? item['output'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) ? (part['text'] ?? part['stdout']) : ''))
    .filter((text) => typeof text === 'string')
    .join('');
}
