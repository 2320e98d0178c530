import { isRecord, type Item } from './wire.js';

/** The part of an item that the model wrote: texts, names and arguments, without the ids and types that the service adds. */
export function generatedText(item: Item): string {
  switch (item.type) {
    case 'message':
      return textsIn(item['content']);
    case 'reasoning':
      return textsIn(item['content']) + textsIn(item['summary']);
    case 'function_call':
      return `${String(item['name'])}${String(item['arguments'])}`;
    case 'custom_tool_call':
      return `${String(item['name'])}${String(item['input'])}`;
    default: {
      const { id: _id, type: _type, status: _status, call_id: _callId, ...rest } = item;
      return JSON.stringify(rest);
    }
  }
}

function textsIn(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .filter(isRecord)
    .map(({ text, refusal }) => text ?? refusal)
    .filter((words) => typeof words === 'string')
    .join('');
}
