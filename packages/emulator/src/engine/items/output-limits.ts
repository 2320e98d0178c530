import { TextDecoder } from 'node:util';
import type { Reply, ReplyItem } from '../../sources/answer.js';

/** The beginning of a text that has at most so many bytes of UTF-8; never half a character. */
function truncateUtf8(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes)).replace(/\uFFFD+$/, '');
}

/** As much of something said as fits into so many bytes of words; undefined if it cannot be begun. */
export function truncateTo(bytes: number, replyItem: ReplyItem): ReplyItem | undefined {
  switch (replyItem.kind) {
    case 'message': {
      // A refusal follows the text, so it is the first to go.
      const text = replyItem.text === undefined ? undefined : truncateUtf8(replyItem.text, bytes);
      const left = bytes - Buffer.byteLength(text ?? '');
      const refusal = replyItem.refusal === undefined ? undefined : truncateUtf8(replyItem.refusal, left);
      return { ...replyItem, text, refusal, annotations: [] };
    }
    case 'reasoning': {
      let left = bytes;
      const truncateToLeft = (part: string) => {
        const kept = truncateUtf8(part, left);
        left -= Buffer.byteLength(kept);
        return kept;
      };
      const content = replyItem.content === undefined ? undefined : truncateToLeft(replyItem.content);
      return { ...replyItem, content, summary: replyItem.summary.map(truncateToLeft).filter((part) => part !== '') };
    }
    case 'function_call': {
      const left = bytes - Buffer.byteLength(replyItem.name);
      return left < 0 ? undefined : { ...replyItem, arguments: truncateUtf8(replyItem.arguments, left) };
    }
    case 'custom_tool_call': {
      const left = bytes - Buffer.byteLength(replyItem.name);
      return left < 0 ? undefined : { ...replyItem, input: truncateUtf8(replyItem.input, left) };
    }
    default:
      return undefined;
  }
}

/** Tools that the service runs; `max_tool_calls` counts their calls, and no others. */
const builtIn = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
]);

/** A reply without the calls of built-in tools beyond this number: a model that makes more of them is not heard. */
export function limitToolCalls(reply: Reply, max = Infinity): Reply {
  let calls = 0;
  const output = reply.output.filter((replyItem) => {
    if (replyItem.kind !== 'tool' || !builtIn.has(replyItem.item.type)) return true;
    calls += 1;
    return calls <= max;
  });
  return { ...reply, output };
}
