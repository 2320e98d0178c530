import type { InputItem } from '@turnwire/client';
import { outputText } from '../tools/output.js';
import type { ToolContent } from '../tools/tool.js';

/** The items for a model that takes no images: each image is replaced by a text with its type and size. */
export function withoutImages(items: readonly InputItem[]): InputItem[] {
  return items.map((item) => {
    if (item.type === 'message' && Array.isArray(item.content))
      return { ...item, content: (item.content as readonly unknown[]).map(asText) } as InputItem;
    const answers = item.type === 'function_call_output' || item.type === 'custom_tool_call_output';
    if (answers && Array.isArray(item.output))
      return { ...item, output: (item.output as readonly unknown[]).map(asText) } as InputItem;
    return item;
  });
}

function asText(part: unknown): unknown {
  if (!isImage(part)) return part;
  const image = outputText([part]).slice(1, -1);
  return { type: 'input_text', text: `[${image}: not sent, because the model takes no images]` };
}

function isImage(part: unknown): part is Extract<ToolContent, { type: 'input_image' }> {
  return typeof part === 'object' && part !== null && 'type' in part && part.type === 'input_image';
}
