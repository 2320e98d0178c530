import type { InputItem } from '@turnwire/client';

/** An item that needs an answer: one with the same `call_id` has to follow, or the API refuses the whole history (D10). */
export interface OpenCall {
  id: string;
  answer: 'function_call_output' | 'custom_tool_call_output';
}

/** The calls of a history that have no answer, in their order. Of two calls with one id, the first answer belongs to the first call. */
export function openCalls(items: readonly InputItem[]): OpenCall[] {
  const open: OpenCall[] = [];
  for (const item of items) {
    if (item.type === 'function_call') open.push({ id: item.call_id, answer: 'function_call_output' });
    if (item.type === 'custom_tool_call') open.push({ id: item.call_id, answer: 'custom_tool_call_output' });
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue;
    const answered = open.findIndex(({ id }) => id === item.call_id);
    if (answered !== -1) open.splice(answered, 1);
  }
  return open;
}

/**
 * The last `most` items. There are fewer where the cut would separate a call from its answer. The last prompt is put before them if it is older: a model that
 * no longer knows its prompt does something else. There are more than `most` where the newest calls and their answers are more by themselves: a model that
 * does not see its calls makes them again.
 */
export function lastItems(items: readonly InputItem[], most: number): readonly InputItem[] {
  if (items.length <= most) return items;
  let start = items.length - most;
  while (start < items.length && !isSelfContained(items, start)) start += 1;
  if (start === items.length) {
    start -= most;
    while (start > 0 && !isSelfContained(items, start)) start -= 1;
  }
  const tail = items.slice(start);
  if (tail.some(isPrompt)) return tail;
  const prompt = items.slice(0, start).findLast(isPrompt);
  return prompt === undefined ? tail : [prompt, ...tail];
}

/**
 * True where the items from `start` on need nothing before them: all earlier calls are answered before `start`, and no reasoning is separated from its item.
 */
export function isSelfContained(items: readonly InputItem[], start: number): boolean {
  return openCalls(items.slice(0, start)).length === 0 && items[start - 1]?.type !== 'reasoning';
}

/** The text of the last prompt; empty where it has no text. */
export function promptText(items: readonly InputItem[]): string {
  const prompt = items.findLast(isPrompt);
  if (prompt === undefined || !('content' in prompt)) return '';
  const { content } = prompt;
  if (typeof content === 'string') return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts
    .map((part) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : '',
    )
    .join('\n')
    .trim();
}

export function isPrompt(item: InputItem): boolean {
  return 'role' in item && item.role === 'user';
}
